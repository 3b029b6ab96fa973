"""uvicorn's HTTP protocol with two bounds: on the requests that wait, and on the time that one may take.

uvicorn reads on while answers are not read: 40 MB of pipelined requests became 3.5 GB of objects. It also
waits for ever for the rest of a request, and for the first byte of a connection.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

PIPELINED: Final = 16
"""Requests of one connection that may wait. When one more comes, the connection ends after these."""
HEAD_BYTES: Final = 65536
"""The limit of Node.js and h11 is this or lower. Bytes read together with the head's beginning do not
count."""
HEAD_SECONDS: Final = 10.0
"""The time from the connection, or from the first byte of a later request, to the end of the head."""
BODY_SECONDS: Final = 20.0
BODY_RATE: Final = 500
"""A body may take BODY_SECONDS, and one second more for each BODY_RATE bytes, as in Apache's
mod_reqtimeout."""

CLOSE: Final = (b"connection", b"close")
"""The header field of the last answer of a connection."""
_ANSWER: Final = b"HTTP/1.1 %s\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_TOO_LATE: Final = _ANSWER % b"408 Request Timeout"
_HEAD_TOO_LARGE: Final = _ANSWER % b"431 Request Header Fields Too Large"


HEAD: Final = "head"
BODY: Final = "body"


class TooManyRequestsWait(Exception):
    """Too many requests wait already. It stops the parser, and nothing else."""


class HttpProtocol(HttpToolsProtocol):
    """One connection; ``stats`` is shared by all of them, uvicorn gives the other arguments."""

    def __init__(self, stats: HttpStats, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._stats = stats
        self._last = False
        self.head_until: float | None = None
        """The time, by the loop's clock, at which the first head is due. None: HEAD_SECONDS from now."""
        self._part: str | None = HEAD
        """The part of a request that the client sends now; None between requests, when uvicorn's own timer
        runs."""
        self._head_bytes = 0
        self._body_until = 0.0
        self._watched: str | None = None
        self._timer: asyncio.TimerHandle | None = None

    # calls of the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first byte, with a limit."""
        self._context = copy_context()
        super().connection_made(transport)  # type: ignore[arg-type]
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Read, unless the connection ends after the requests that were read."""
        if self._last or self._is_nothing(data):
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

    def _is_nothing(self, data: bytes) -> bool:
        """Whether these bytes are empty lines between requests, which begin none (RFC 9112, section 2.2).

        uvicorn would stop its timer for them, and keep the connection for ever.
        """
        return self._part is None and data[:1] in (b"\r", b"\n") and not data.strip(b"\r\n")

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer."""
        self._part = None
        self._watch()
        super().connection_lost(exc)

    # calls of the parser

    def on_message_begin(self) -> None:
        """Begin a request; raise ``TooManyRequestsWait`` to end the connection after those that wait."""
        if len(self.pipeline) >= PIPELINED:
            self._end_after_these()
            raise TooManyRequestsWait
        self._part, self._head_bytes = HEAD, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Begin to wait for the body."""
        self._part = BODY
        self._body_until = self.loop.time() + BODY_SECONDS
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Wait for nothing until another request begins."""
        self._part = None
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer 400, but not for one request too many: the answers to the others come first."""
        if not self._last:
            super().send_400_response(msg)

    def handle_websocket_upgrade(self) -> None:
        """Pass the connection to the WebSocket protocol, unless an answer is still to be sent."""
        if self.cycle is None or self.cycle.response_complete:
            self._part = None
            self._watch()
            self._pass_on()
        else:
            self._end_after_these()

    def _pass_on(self) -> None:
        """Do the same as uvicorn, but set the protocol first: it may pass the connection on at once."""
        protocol: Any = self.ws_protocol_class(  # type: ignore[call-arg, misc]
            config=self.config, server_state=self.server_state, app_state=self.app_state
        )
        self.connections.discard(self)
        protocol.connection_made(self.transport)
        self.transport.set_protocol(protocol)
        head = [self.parser.get_method(), b" ", self.url, b" HTTP/1.1\r\n"]
        for name, value in self.headers:
            head += (name, b": ", value, b"\r\n")
        protocol.data_received(b"".join((*head, b"\r\n")))

    def _start_asgi_task(self, *args: Any) -> None:
        # Otherwise a request that has waited would run in the context of the request before it.
        self._context.run(super()._start_asgi_task, *args)

    # how it ends

    @property
    def has_answered(self) -> bool:
        """Whether this connection has had a request."""
        return self.cycle is not None

    def end_after_answer(self, app: Any) -> None:
        """Let ``app`` answer from now on; an answer that is awaited is the last one of the connection."""
        self.app = app
        cycle = self.cycle
        if cycle is not None and not cycle.response_started:
            cycle.default_headers = [*cycle.default_headers, CLOSE]

    def _end_after_these(self) -> None:
        """Answer the requests that are there, and close, as RFC 9112 (9.3.2) allows."""
        self._last = True
        self._part = None
        self.cycle.keep_alive = False  # this is the newest of them
        self._stats.cut_off += 1

    def _watch(self) -> None:
        """Set the timer for the part that the client sends now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._watched = self._part
        if self._part is HEAD:
            until, self.head_until = self.head_until, None
            self._timer = self.loop.call_at(until or self.loop.time() + HEAD_SECONDS, self._too_late)
        elif self._part is BODY:
            self._timer = self.loop.call_at(self._body_until, self._too_late)

    def _too_late(self) -> None:
        now = self.loop.time()
        if self.flow.read_paused:  # the application is slow, not the client
            self._body_until = now + BODY_SECONDS
            self._watch()
        elif self._part is BODY and now < self._body_until:  # more bytes have come since the timer was set
            self._watch()
        else:
            self._stats.timeouts[self._part or HEAD] += 1
            self._refuse(_TOO_LATE)

    def _refuse(self, answer: bytes) -> None:
        """Close.

        The client gets ``answer`` if it has begun a request, and no answer to another one is half sent.
        """
        begun = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        if self.headers is not None and not begun:
            self.transport.write(answer)
        self._last = True
        self.transport.close()


@dataclass
class HttpStats:
    """Counts of what this worker has done with connections and requests since its start."""

    timeouts: Counter[str] = field(default_factory=Counter)
    """Connections closed because a client took too long over the HEAD or the BODY of a request."""
    emits: Counter[str] = field(default_factory=Counter)
    """Requests to emit, by the status of the answer."""
    cut_off: int = 0
    """Connections closed because too many requests waited for their turn."""
