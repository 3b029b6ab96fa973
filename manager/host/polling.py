"""What the short way of polling leaves out of python-engineio, or does in its place."""

from __future__ import annotations

import copy
import logging
from typing import Any, Final

import engineio
from engineio.async_socket import AsyncSocket
from socketio import AsyncServer

from socketio_cluster.manager.host.server import Host

_METHODS: Final = ("handle_get_request", "handle_post_request", "poll", "receive")
_OWN: Final = [getattr(AsyncSocket, name) for name in _METHODS]
"""The admin UI replaces some of these functions of the class, to count packets."""
_OWN_POST: Final = AsyncSocket.handle_post_request
"""One of those that it replaces."""


class Polling:
    """The requests of one server's polling clients.

    Args:
        host: the server.
        layers: the names of the layers that the short way stands in for.
    """

    def __init__(self, host: Host, layers: frozenset[str]) -> None:
        self._host = host
        self._engine = host.engine
        slots = (host.request, host.engine_request, host.poll_answer, host.driver("translate_request"))
        known = layers.issuperset(name for slot in slots for name in slot.layers)
        self._stock = (
            known
            and type(host.engine) is engineio.AsyncServer
            and type(host.server).handle_request is AsyncServer.handle_request
        )

    @property
    def plain(self) -> bool:
        """Whether no code of others, such as the admin UI, stands in what the short way leaves out."""
        host, engine = self._host, self._engine
        return (
            self._stock
            and engine.handle_request is host.engine_request.entry
            and host.server.handle_request is host.request.entry
            and engine._ok is host.poll_answer.entry
            and [getattr(AsyncSocket, name) for name in _METHODS] == _OWN
            and not callable(engine.cors_allowed_origins)
            and not engine.logger.isEnabledFor(logging.INFO)
        )

    @property
    def unwatched(self) -> bool:
        """Whether the admin UI, which an application may switch on at any time, does not count the packets.

        It is asked for each request, so it looks only at what the admin UI replaces.
        """
        answers: bool = self._engine._ok is self._host.poll_answer.entry
        return answers and AsyncSocket.handle_post_request is _OWN_POST

    def pages(self) -> Any:
        """Return the pages that may ask now: a copy, as an application may change a list of them."""
        return copy.copy(self._engine.cors_allowed_origins)

    def encoding(self, accepted: str) -> str | None:
        """Return the encoding in which a client that sends this ``Accept-Encoding`` gets a long answer."""
        offers = (offer.split(";")[0].strip() for offer in accepted.split(","))
        return next((offer for offer in offers if offer in self._engine.compression_methods), None)

    def is_long(self, body: bytes) -> bool:
        """Whether an answer is compressed."""
        engine = self._engine
        return engine.http_compression and len(body) >= engine.compression_threshold  # type: ignore[no-any-return]

    def compressed(self, encoding: str, body: bytes) -> bytes:
        """Return the body of an answer in an encoding."""
        compress: Any = self._engine._gzip if encoding == "gzip" else self._engine._deflate
        return compress(body)  # type: ignore[no-any-return]
