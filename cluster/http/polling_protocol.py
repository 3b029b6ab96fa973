"""uvicorn's HTTP protocol with a short way for the requests of polling clients.

A request that the application's ``polls`` serve is answered without a parser, a task and ASGI. While it waits
for its answer, what the client sends meanwhile is kept, and read after the answer.
"""

from __future__ import annotations

import asyncio
import logging
from contextvars import Context
from typing import Any, Final, Protocol

from socketio_cluster.cluster.http.handshake import Header
from socketio_cluster.cluster.http.protocol import HttpProtocol, HttpStats

KEPT_BYTES: Final = 65536
"""Bytes that are kept while an answer is awaited. When there are more, reading stops."""


class Waiting(Protocol):
    """A request that waits for its answer."""

    def lost(self) -> None:
        """Is called when the connection ends before that."""


class PollingProtocol(HttpProtocol):
    """One connection; the arguments are those of ``HttpProtocol``."""

    def __init__(self, stats: HttpStats, *args: Any, **kwargs: Any) -> None:
        super().__init__(stats, *args, **kwargs)
        self.heads: dict[bytes, Any] = {}
        """What the head of the last request meant, for the next one of the same method."""
        self.last = False
        """Whether the connection ends after the next answer."""
        self._waiting: Waiting | None = None
        self._kept = b""
        self._answered = False
        self._idle_since = 0.0
        self._idle_timer: asyncio.TimerHandle | None = None

    # calls of the transport

    def data_received(self, data: bytes) -> None:
        """Serve a request the short way, if that is possible, or let uvicorn read it."""
        if self._waiting is not None:
            self._keep(data)
        elif not (self._is_at_rest() and self._is_served(data)) and not self._is_nothing(data):
            self._forget_idle()
            super().data_received(data)

    def _is_at_rest(self) -> bool:
        """Whether nothing is under way, so that the next byte is the first one of a request."""
        if self._part is not None:
            return self.headers is None  # nothing was read from this connection yet
        return self.cycle is None or bool(self.cycle.response_complete)

    def _is_served(self, data: bytes) -> bool:
        if self._last or self.flow.write_paused or self._logs_requests:
            return False
        polls = getattr(self.app, "polls", None)
        return polls is not None and polls.serve(self, data)

    @property
    def _logs_requests(self) -> bool:
        return self.access_log and self.access_logger.isEnabledFor(logging.INFO)

    def _keep(self, data: bytes) -> None:
        self._kept += data
        if len(self._kept) > KEPT_BYTES:
            self.flow.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the request that waits."""
        self._forget_idle()
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.lost()
        super().connection_lost(exc)

    # calls of the short way

    @property
    def server_headers(self) -> list[Header]:
        """The headers that uvicorn adds to each answer; another list each second."""
        return self.server_state.default_headers

    @property
    def context(self) -> Context:
        """The context of a new request, which is a copy of the connection's."""
        return self._context.copy()

    def scope_of(self, method: str, path: str, headers: list[Header]) -> dict[str, Any]:
        """Return what python-engineio reads of the ASGI scope of a request, but for its query."""
        return {
            "type": "http",
            "method": method,
            "path": path,
            "headers": headers,
            "scheme": self.scheme,
            "server": self.server,
            "client": self.client,
        }

    def begin(self, waiting: Waiting) -> None:
        """Begin to serve a request the short way."""
        if self._part is not None:
            self._part = None
            self._watch()
        self._unset_keepalive_if_required()
        self._waiting = waiting

    def end(self, wire: bytes) -> None:
        """Write the answer to the request that waits, and go on."""
        self._waiting = None
        self._answered = True
        self.server_state.total_requests += 1
        self.transport.write(wire)
        if self.last:
            self.transport.close()
            return
        self._idle_since = self.loop.time()
        if self._idle_timer is None:
            self._idle_timer = self.loop.call_later(self.timeout_keep_alive, self._look_idle)
        if self._kept:
            data, self._kept = self._kept, b""
            self.flow.resume_reading()
            self.data_received(data)

    # how it ends

    def shutdown(self) -> None:
        """Close, after the answer to the request that waits."""
        if self._waiting is not None:
            self.last = True
        else:
            super().shutdown()

    @property
    def has_answered(self) -> bool:
        """Whether this connection has had a request."""
        return self._answered or super().has_answered

    def end_after_answer(self, app: Any) -> None:
        """Let ``app`` answer from now on, and end the connection with the next answer."""
        super().end_after_answer(app)
        self.last = self._waiting is not None

    def _look_idle(self) -> None:
        """Close a connection that has been without a request for too long.

        One timer looks every few seconds. To set it anew for each answer would cost a tenth of the answer.
        """
        self._idle_timer = None
        if self._waiting is None and self._is_at_rest():
            seconds = self._idle_since + self.timeout_keep_alive - self.loop.time()
            if seconds <= 0:
                self.timeout_keep_alive_handler()
            else:
                self._idle_timer = self.loop.call_later(seconds, self._look_idle)

    def _forget_idle(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None
