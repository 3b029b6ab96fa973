"""``AsyncClient``: python-socketio's, with recovery, middlewares and exception handlers."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import socketio
from socketio import packet

from socketio_cluster.cluster.clients.recovering_client import RecoveringClient
from socketio_cluster.cluster.handler_decorators import HandlerDecorators
from socketio_cluster.cluster.middleware.async_runner import AsyncMiddlewares
from socketio_cluster.manager.host.client import ClientEngine

NOTICES: Final = frozenset(("connect", "connect_error", "disconnect"))
FAILURE: Final = "Internal client error"


class AsyncClient(AsyncMiddlewares, HandlerDecorators, RecoveringClient, socketio.AsyncClient):  # type: ignore[misc]
    """``socketio.AsyncClient`` that misses nothing while its connection is lost.

    When it connects again, it has its sid and its rooms, and gets what it missed, if the server has
    ``recovery_seconds``. Events pass middlewares, and errors answer the server's ack.
    """

    _who = 0
    _notices: ClassVar = NOTICES
    _failure = FAILURE

    def _engineio_client_class(self) -> type[ClientEngine]:
        return ClientEngine

    async def _send_packet(self, pkt: Any) -> None:
        self._sessions.sending(self.connection_url, pkt)
        await super()._send_packet(pkt)

    async def _handle_eio_disconnect(self, reason: str) -> None:
        self._cut_before_the_answer()
        await super()._handle_eio_disconnect(reason)

    async def _handle_connect(self, namespace: str | None, data: Any) -> None:
        self._sessions.answered(namespace or "/", data)
        await super()._handle_connect(namespace, data)

    async def _handle_event(self, namespace: str | None, id: int | None, data: list[Any]) -> None:  # noqa: A002
        data = self._sessions.take(namespace or "/", id, data)
        try:
            await super()._handle_event(namespace, id, data)
        except Exception as error:
            # Errors of handlers are answered before. Here the answer itself could not be encoded.
            answer = self._unanswerable(data[0], namespace or "/", (), error)
            await self._send_packet(
                self.packet_class(packet.ACK, namespace=namespace or "/", id=id, data=[answer])
            )
