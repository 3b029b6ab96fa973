"""uvicorn's HTTP protocol with bounds: how much a client may ask for at once, and how long it may take.

uvicorn reads on while answers are unread: 40 MB of pipelined requests became 3.5 GB of objects. It waits for
the rest of a request for ever, and for the first byte of a connection too.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

PIPELINED: Final = 16
"""Requests of one connection that may wait for their turn; with one more the connection ends after them."""
HEAD_BYTES: Final = 65536
"""As Node.js and h11 have it or more; what came in one read with the head's beginning is not counted."""
HEAD_SECONDS: Final = 10.0
"""From the connection, or the first byte of a later request, to the end of the head."""
BODY_SECONDS: Final = 20.0
BODY_RATE: Final = 500
"""A body may take so many seconds, and one more for each so many bytes; as Apache's mod_reqtimeout."""

_ANSWER: Final = b"HTTP/1.1 %s\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_TOO_LATE: Final = _ANSWER % b"408 Request Timeout"
_HEAD_TOO_LARGE: Final = _ANSWER % b"431 Request Header Fields Too Large"


HEAD: Final = "head"
BODY: Final = "body"


class TooManyRequestsWait(Exception):
    """One more request, while so many wait: the parser is to stop here."""


class HttpProtocol(HttpToolsProtocol):
    """One connection; ``stats`` counts for all of them, the rest is what uvicorn gives."""

    def __init__(self, stats: HttpStats, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._stats = stats
        self._last = False
        self._part: str | None = HEAD
        """What the client is sending; None between requests, when uvicorn's keep-alive timer runs."""
        self._head_bytes = 0
        self._body_until = 0.0
        self._watched: str | None = None
        self._timer: asyncio.TimerHandle | None = None

    # from the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first byte, not for ever."""
        self._context = copy_context()
        super().connection_made(transport)  # type: ignore[arg-type]
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Read, unless the connection ends with what has been read."""
        if self._last:
            return
        head = self.headers if self._part is HEAD else None
        super().data_received(data)
        if self._part is HEAD and self.headers is head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._refuse(_HEAD_TOO_LARGE)
        elif self._part is BODY:
            self._body_until += len(data) / BODY_RATE
        if self._part is not self._watched:
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._part = None
        self._watch()
        super().connection_lost(exc)

    # from the parser

    def on_message_begin(self) -> None:
        """Begin a request, or end after those that wait."""
        if len(self.pipeline) >= PIPELINED:
            self._end_after_these()
            raise TooManyRequestsWait
        self._part, self._head_bytes = HEAD, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Expect the body."""
        self._part = BODY
        self._body_until = self.loop.time() + BODY_SECONDS
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Expect nothing, or another request."""
        self._part = None
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Say what is wrong, unless there was one request too many: the others have their answers to come."""
        if not self._last:
            super().send_400_response(msg)

    def handle_websocket_upgrade(self) -> None:
        """Let the WebSocket protocol have the connection, unless it still owes an answer."""
        if self.cycle is None or self.cycle.response_complete:
            self._part = None
            self._watch()
            super().handle_websocket_upgrade()
        else:
            self._end_after_these()

    def _start_asgi_task(self, *args: Any) -> None:
        # Else a request that has waited for its turn would run in the context of the one before it.
        self._context.run(super()._start_asgi_task, *args)

    # ends

    def _end_after_these(self) -> None:
        """Answer the requests that are there, and close; as RFC 9112 (9.3.2) lets a server do."""
        self._last = True
        self._part = None
        self.cycle.keep_alive = False  # the newest of them
        self._stats.cut_off += 1

    def _watch(self) -> None:
        """Set the timer for what the client is sending now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._watched = self._part
        if self._part is HEAD:
            self._timer = self.loop.call_later(HEAD_SECONDS, self._too_late)
        elif self._part is BODY:
            self._timer = self.loop.call_at(self._body_until, self._too_late)

    def _too_late(self) -> None:
        now = self.loop.time()
        if self.flow.read_paused:  # the application takes its time, not the client
            self._body_until = now + BODY_SECONDS
            self._watch()
        elif self._part is BODY and now < self._body_until:  # more has come meanwhile
            self._watch()
        else:
            self._stats.timeouts[self._part or HEAD] += 1
            self._refuse(_TOO_LATE)

    def _refuse(self, answer: bytes) -> None:
        """Close, with an answer if the client has asked something and has had none of an answer yet."""
        begun = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        if self.headers is not None and not begun:
            self.transport.write(answer)
        self._last = True
        self.transport.close()


@dataclass
class HttpStats:
    """Counters since the worker started."""

    timeouts: Counter[str] = field(default_factory=Counter)
    """Connections closed because a client took too long over the HEAD or the BODY of a request."""
    cut_off: int = 0
    """Connections closed because too many requests waited for their turn."""
