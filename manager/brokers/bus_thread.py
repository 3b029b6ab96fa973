"""The thread that owns a kombu session: kombu blocks, so it must not run on the event loop.

Commands go in through a queue and a socket that wakes the thread; deliveries and finished commands come
out together, with one ``call_soon_threadsafe`` per turn.
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
"""Seconds between looks at the heartbeat; kombu asks for about one."""

STOP_TIMEOUT = 0.5
"""Seconds a thread has to say goodbye before its connection is cut."""


class Session(Protocol):
    """All methods but ``abort`` belong to one thread; any of them may raise what its library raises."""

    sock: socket.socket | None
    """Readable when there is something to read; None when the library shows no such socket."""
    nap: float
    """Seconds the thread may sleep between two reads while nothing else wakes it."""
    published: int
    """Number of the last message sent."""
    confirmed: int
    """The bus has answered for every message up to this number."""
    refused: set[int]
    """Numbers of those it has not taken; whoever sent them removes them."""

    def bind(self, keys: Sequence[str]) -> None:
        """Have the messages of these keys sent here; returns when that is in effect."""

    def unbind(self, keys: Sequence[str]) -> None:
        """Give these keys up."""

    def publish(self, batch: Sequence[Publication]) -> int:
        """Send the batch; the bus has answered for it once ``confirmed`` reaches the number given."""

    def read(self) -> list[Delivery]:
        """Handle what the bus has sent; give the deliveries in it."""

    def tick(self) -> None:
        """Called about once per second: send a heartbeat, miss those of the other side."""

    def close(self) -> None:
        """Let the connection and the queue go; never raises."""

    def abort(self) -> None:
        """Cut the connection, so that the thread stops waiting for it."""


Command = Callable[[Session], int]
"""Runs in the thread; gives the number that ``confirmed`` must reach for the command to be done."""

Done = asyncio.Future[None]


class BusThread:
    """Runs one session from ``open_session()`` until ``stop()`` or an error.

    ``report(deliveries, done)`` and, once at most, ``fail(error)`` are called on the event loop.
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
        # Bytes reported and bytes the loop has seen. Each side writes one of them: no lock.
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
        """Have the command run; ``report`` brings ``done`` back. The caller bounds how many there are."""
        self._commands.append((command, done))
        self._ring()

    @property
    def confirmed(self) -> int:
        """How many messages of the session have been confirmed; for any thread."""
        return 0 if self._session is None else self._session.confirmed

    def stop(self) -> None:
        """Ask the thread to end."""
        self._closing = True
        self._ring()

    def join(self) -> None:
        """Wait until the thread has ended, not long; blocks, so not on the event loop."""
        self._thread.join(STOP_TIMEOUT)
        if self._thread.is_alive() and self._session is not None:
            self._session.abort()
            self._thread.join(STOP_TIMEOUT)
        self._alarm.close()

    def _ring(self) -> None:
        # A full pipe wakes as well as one more byte would, and a closed one has nobody to wake.
        with contextlib.suppress(OSError):
            self._alarm.send(b"\x00")

    def _run(self) -> None:
        try:
            self._session = self._open_session()
            with selectors.DefaultSelector() as selector:  # select() ends at 1024 sockets
                selector.register(self._bell, selectors.EVENT_READ)
                if self._session.sock is not None:
                    selector.register(self._session.sock, selectors.EVENT_READ)
                while not self._closing:
                    self._turn(self._session, selector)
        except Exception as error:  # kombu's transports raise errors of many libraries
            self._post(self._fail, error)
        finally:
            if self._session is not None:
                self._session.close()
            self._bell.close()

    def _turn(self, session: Session, selector: selectors.BaseSelector) -> None:
        """Run what was submitted, read what has come, report both."""
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
        size = sum([len(payload) for _, payload in deliveries]) + OVERHEAD * len(deliveries)
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
        except RuntimeError:  # the loop was closed before the broker
            self._closing = True


def explain(error: Exception, place: str) -> BrokerError:
    """Give a sentence about the error of a session to ``place``."""
    if isinstance(error, TimeoutError):
        return BrokerError(f"{place} has not answered for {REPLY_TIMEOUT:g} s")
    return BrokerError(f"{place}: {str(error) or type(error).__name__}")
