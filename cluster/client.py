"""``AsyncClient`` and ``Client``: python-socketio's, with middlewares and exception handlers."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import socketio
from socketio import packet

from socketio_cluster.cluster.middleware.async_runner import AsyncMiddlewares
from socketio_cluster.cluster.middleware.sync_runner import SyncMiddlewares

_NOTICES: Final = frozenset(("connect", "connect_error", "disconnect"))
_FAILURE: Final = "Internal client error"


class AsyncClient(AsyncMiddlewares, socketio.AsyncClient):  # type: ignore[misc]
    """``socketio.AsyncClient`` whose events pass middlewares and whose errors answer the server's ack."""

    _who = 0
    _notices: ClassVar = _NOTICES
    _failure = _FAILURE

    async def _handle_event(self, namespace: str | None, id: int | None, data: list[Any]) -> None:  # noqa: A002
        try:
            await super()._handle_event(namespace, id, data)
        except Exception as error:
            # Errors of handlers are answered before. Here the answer itself could not be encoded.
            answer = self._unanswerable(data[0], namespace or "/", (), error)
            await self._send_packet(
                self.packet_class(packet.ACK, namespace=namespace or "/", id=id, data=[answer])
            )


class Client(SyncMiddlewares, socketio.Client):  # type: ignore[misc]
    """``socketio.Client`` whose events pass middlewares and whose errors answer the server's ack."""

    _who = 0
    _notices: ClassVar = _NOTICES
    _failure = _FAILURE

    def _handle_event(self, namespace: str | None, id: int | None, data: list[Any]) -> None:  # noqa: A002
        try:
            super()._handle_event(namespace, id, data)
        except Exception as error:
            answer = self._unanswerable(data[0], namespace or "/", (), error)
            self._send_packet(self.packet_class(packet.ACK, namespace=namespace or "/", id=id, data=[answer]))
