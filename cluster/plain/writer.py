"""Sends to one plain client: messages in order, then the close frame.

ASGI's ``send`` waits while the connection's own buffer is full. Messages that come meanwhile wait here, and
their bytes are counted.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from socketio_cluster.cluster.limits.limits import size
from socketio_cluster.cluster.plain.message import Message
from socketio_cluster.cluster.plain.outbound import Data, Outbound
from socketio_cluster.manager.stats import Stats

logger = logging.getLogger("socketio_cluster.cluster")

CLOSE_SECONDS: Final = 5.0
"""Seconds that a client that does not read may hold up the end of its connection."""
TURN: Final = 64
"""Messages that are sent before the loop gets a turn."""
REASON_BYTES: Final = 123
"""The bytes of a reason that fit into a close frame (RFC 6455)."""

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Writer:
    """Sends to one client.

    Args:
        send: ASGI's function.
        queue: the messages that wait.
        stats: the counters of the manager.
        encode: the codec's function; it returns None for a message that is not to be sent.
        behind: called after each message while the client is behind.
    """

    def __init__(
        self,
        send: Send,
        queue: Outbound,
        stats: Stats,
        encode: Callable[[Message], Data | None],
        behind: Callable[[], None],
    ) -> None:
        self._send = send
        self._queue = queue
        self._stats = stats
        self._encode = encode
        self._behind = behind
        self._news = asyncio.Event()
        self._readable = asyncio.Event()
        self._readable.set()
        self._goodbye: dict[str, Any] | None = None
        self._said = False
        self._patience: asyncio.TimerHandle | None = None
        self.task = asyncio.create_task(self._run())
        self.task.add_done_callback(lambda _: self._readable.set())

    def write(self, message: Message) -> None:
        """Send a message that must not be left out."""
        data = self._encode(message)
        if data is not None and self._goodbye is None:
            self._put(self._queue.put, data)

    def write_event(self, data: Data) -> None:
        """Send an event. After ``end`` it is thrown away."""
        if self._goodbye is None:
            self._put(self._queue.put_event, data)

    def _put(self, put: Callable[[Data], bool], data: Data) -> None:
        self._news.set()
        if not put(data):
            self._behind()
        elif self._queue.slow:
            self._readable.clear()

    async def readable(self) -> None:
        """Wait while the client is slow: to read from it would add answers to its queue.

        Cancelling this is safe.
        """
        await self._readable.wait()

    def end(self, code: int, reason: str, *, at_once: bool = False) -> None:
        """Close after all that waits is sent, or ``at_once`` in the place of it.

        Only the first call counts.
        """
        if self._goodbye is not None:
            return
        if at_once:
            self._queue.clear()
        text = reason.encode()[:REASON_BYTES].decode(errors="ignore")
        self._goodbye = {"type": "websocket.close", "code": code, "reason": text}
        self._news.set()
        self._readable.set()
        self._patience = asyncio.get_running_loop().call_later(CLOSE_SECONDS, self.task.cancel)

    @property
    def queued(self) -> int:
        """The bytes that wait for the client."""
        return self._queue.waiting

    @property
    def idle(self) -> bool:
        """Whether nothing waits for the client, and it was told of all that it has missed."""
        return not (self._queue.waiting or self._queue.slow)

    @property
    def ending(self) -> bool:
        """Whether ``end`` was called."""
        return self._goodbye is not None

    async def over(self) -> None:
        """Send the close frame when all that waits is sent; a client that does not read in time gets none.

        Do not call it while ASGI's ``receive`` waits: granian then finishes neither of the two.
        """
        await asyncio.wait((self.task,))
        if self._patience is not None:
            self._patience.cancel()
        if self.task.cancelled() or self._goodbye is None or self._said:
            return
        self._said = True
        try:
            self.task.result()
            await asyncio.wait_for(self._send(self._goodbye), CLOSE_SECONDS)
        except Exception as error:  # each server has its own error for a client that is gone
            logger.debug("a plain client got no goodbye: %r", error)

    async def _run(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            await self._flush()
            if self._goodbye is not None:
                return

    async def _flush(self) -> None:
        sent = 0
        while (data := self._queue.take()) is not None:
            kind = "text" if isinstance(data, str) else "bytes"
            await self._send({"type": "websocket.send", kind: data})
            self._stats.sent_bytes += size(data)
            sent += 1
            if sent % TURN == 0:
                await asyncio.sleep(0)
            self._look_up()

    def _look_up(self) -> None:
        """Tell a client that has caught up how many events it missed, and let it be read from again."""
        missed = self._queue.caught_up()
        if missed is not None:
            self._readable.set()
            if missed:
                self.write(Message(event="missed", args=(missed,)))
