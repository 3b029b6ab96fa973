"""The thread that owns a kombu session. kombu blocks, so it must not run on the event loop.

Commands go to the thread through a queue, and a socket wakes the thread. Deliveries and finished commands
come back together, with one ``call_soon_threadsafe`` for each turn of the thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Protocol

from socketio_cluster.manager.brokers.inbox import OVERHEAD, REPLY_TIMEOUT
from socketio_cluster.manager.bus.broker import INBOX_LIMIT, Delivery, Publication
from socketio_cluster.manager.errors import BrokerError

TICK = 1.0
"""Seconds between two checks of the heartbeat. kombu wants about one second."""

STOP_TIMEOUT = 0.5
"""Seconds that a thread has to close its connection before the connection is cut."""


class Session(Protocol):
    """One blocking connection to the bus.

    Only one thread may call its methods, except for ``abort``. Each of them may raise any error of its
    library.
    """

    sock: socket.socket | None
    """Is readable when data has arrived. None if the library does not give access to a socket."""
    nap: float
    """The seconds that the thread may sleep between two reads if nothing wakes it."""
    published: int
    """The number of the last message that was sent."""
    confirmed: int
    """The bus has answered for every message up to this number."""
    refused: set[int]
    """The numbers of messages that the bus has refused. The sender of a message removes its number."""

    def bind(self, keys: Sequence[str]) -> None:
        """Bind these keys, so that their messages are sent here. Returns when that is in effect."""

    def unbind(self, keys: Sequence[str]) -> None:
        """Unbind these keys."""

    def publish(self, batch: Sequence[Publication]) -> int:
        """Send the batch. The bus has answered for it when ``confirmed`` reaches the returned number."""

    def read(self) -> list[Delivery]:
        """Handle all data that the bus has sent, and return the deliveries in it."""

    def tick(self) -> None:
        """Send a heartbeat if one is due, and raise if those of the bus are missing. Called every second."""

    def close(self) -> None:
        """Close the connection and delete the queue. Never raises."""

    def abort(self) -> None:
        """Cut the connection, so that the thread which waits for it goes on. Any thread may call this."""


Command = Callable[[Session], int]
"""Runs in the thread. Returns the number at which ``confirmed`` tells that the command is done."""

Done = asyncio.Future[None]


class BusThread:
    """Runs one session until ``stop()`` is called or an error occurs.

    Args:
        name: the name of the thread.
        open_session: opens the session. It is called in the thread.
        report: is called on the event loop with new deliveries and finished commands.
        fail: is called on the event loop with the error that has ended the thread, at most once.
    """

    def __init__(
        self,
        name: str,
        open_session: Callable[[], Session],
        report: Callable[[list[Delivery], list[Done]], None],
        fail: Callable[[Exception], None],
    ) -> None:
        self._open_session, self._report, self._fail = open_session, report, fail
        self._loop = asyncio.get_running_loop()
        self._commands: deque[tuple[Command, Done]] = deque()
        self._unconfirmed: deque[tuple[int, Done]] = deque()
        # The bytes that were reported, and those that the loop has seen. Each side writes only one of the two
        # numbers, so no lock is needed.
        self._out, self._in = 0, 0
        self._next_tick = 0.0
        self._closing = False
        self._session: Session | None = None
        self._alarm, self._bell = socket.socketpair()
        self._alarm.setblocking(False)
        self._bell.setblocking(False)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, command: Command, done: Done) -> None:
        """Let the thread run a command. ``report`` returns ``done`` when the command is done.

        The queue of commands has no bound, so the caller must limit their number.
        """
        self._commands.append((command, done))
        self._ring()

    @property
    def confirmed(self) -> int:
        """How many messages of the session have been confirmed; for any thread."""
        return 0 if self._session is None else self._session.confirmed

    def stop(self) -> None:
        """Ask the thread to end, and return at once."""
        self._closing = True
        self._ring()

    def join(self) -> None:
        """Wait at most a second until the thread has ended. Blocks, so never call it on the event loop."""
        self._thread.join(STOP_TIMEOUT)
        if self._thread.is_alive() and self._session is not None:
            self._session.abort()
            self._thread.join(STOP_TIMEOUT)
        self._alarm.close()

    def _ring(self) -> None:
        # A full socket wakes the thread as well as one more byte would, and a closed one has no thread to
        # wake.
        with contextlib.suppress(OSError):
            self._alarm.send(b"\x00")

    def _run(self) -> None:
        try:
            self._session = self._open_session()
            with selectors.DefaultSelector() as selector:  # select() would fail above 1024 sockets.
                selector.register(self._bell, selectors.EVENT_READ)
                if self._session.sock is not None:
                    selector.register(self._session.sock, selectors.EVENT_READ)
                while not self._closing:
                    self._turn(self._session, selector)
        except Exception as error:  # kombu's transports raise errors of many libraries.
            self._post(self._fail, error)
        finally:
            if self._session is not None:
                self._session.close()
            self._bell.close()

    def _turn(self, session: Session, selector: selectors.BaseSelector) -> None:
        """Run the commands, read the deliveries, and report both."""
        selector.select(session.nap)
        with contextlib.suppress(BlockingIOError):
            self._bell.recv(4096)
        while self._commands:
            command, done = self._commands.popleft()
            self._unconfirmed.append((command(session), done))
        deliveries = session.read()
        finished = []
        while self._unconfirmed and self._unconfirmed[0][0] <= session.confirmed:
            finished.append(self._unconfirmed.popleft()[1])
        if deliveries or finished:
            self._hand_over(deliveries, finished)
        if monotonic() >= self._next_tick:
            self._next_tick = monotonic() + TICK
            session.tick()

    def _hand_over(self, deliveries: list[Delivery], finished: list[Done]) -> None:
        size = sum([len(delivery.payload) for delivery in deliveries]) + OVERHEAD * len(deliveries)
        self._out += size
        if self._out - self._in > INBOX_LIMIT:
            raise BrokerError(f"the event loop is more than {INBOX_LIMIT // 2**20} MiB behind the bus")
        self._post(self._receive, size, deliveries, finished)

    def _receive(self, size: int, deliveries: list[Delivery], finished: list[Done]) -> None:
        self._in += size
        self._report(deliveries, finished)

    def _post(self, callback: Callable[..., None], *args: object) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:  # The loop was closed before the broker.
            self._closing = True


def explain(error: Exception, place: str) -> BrokerError:
    """Return a ``BrokerError`` with a sentence about the error of a session with the server ``place``."""
    if isinstance(error, TimeoutError):
        return BrokerError(f"{place} has not answered for {REPLY_TIMEOUT:g} s")
    return BrokerError(f"{place}: {str(error) or type(error).__name__}")
