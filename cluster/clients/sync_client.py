"""``Client``: python-socketio's for threads, with recovery, middlewares and exception handlers."""

from __future__ import annotations

from typing import Any, ClassVar

import socketio
from socketio import packet

from socketio_cluster.cluster.clients.client import FAILURE, NOTICES
from socketio_cluster.cluster.clients.recovering_client import RecoveringClient
from socketio_cluster.cluster.handler_decorators import HandlerDecorators
from socketio_cluster.cluster.middleware.sync_runner import SyncMiddlewares
from socketio_cluster.manager.host.sync.client import ClientEngine


class Client(SyncMiddlewares, HandlerDecorators, RecoveringClient, socketio.Client):  # type: ignore[misc]
    """``socketio.Client`` that misses nothing while its connection is lost.

    When it connects again, it has its sid and its rooms, and gets what it missed, if the server has
    ``recovery_seconds``. Events pass middlewares, and errors answer the server's ack. One thread reads; each
    handler runs in a thread of its own.
    """

    _who = 0
    _notices: ClassVar = NOTICES
    _failure = FAILURE

    def _engineio_client_class(self) -> type[ClientEngine]:
        return ClientEngine

    def _send_packet(self, pkt: Any) -> None:
        self._sessions.sending(self.connection_url, pkt)
        super()._send_packet(pkt)

    def _handle_eio_disconnect(self, reason: str) -> None:
        self._cut_before_the_answer()
        super()._handle_eio_disconnect(reason)

    # What follows is called by the thread that reads, which waits for no handler.

    def _handle_connect(self, namespace: str | None, data: Any) -> None:
        self._sessions.answered(namespace or "/", data)
        self.start_background_task(super()._handle_connect, namespace, data)

    def _handle_disconnect(self, namespace: str | None) -> None:
        self.start_background_task(super()._handle_disconnect, namespace)

    def _handle_error(self, namespace: str | None, data: Any) -> None:
        self.start_background_task(super()._handle_error, namespace, data)

    def _handle_ack(self, namespace: str | None, id: int, data: list[Any]) -> None:  # noqa: A002
        self.start_background_task(super()._handle_ack, namespace, id, data)

    def _handle_event(self, namespace: str | None, id: int | None, data: list[Any]) -> None:  # noqa: A002
        data = self._sessions.take(namespace or "/", id, data)
        self.start_background_task(self._run_event, namespace, id, data)

    def _run_event(self, namespace: str | None, id: int | None, data: list[Any]) -> None:  # noqa: A002
        try:
            super()._handle_event(namespace, id, data)
        except Exception as error:
            answer = self._unanswerable(data[0], namespace or "/", (), error)
            self._send_packet(self.packet_class(packet.ACK, namespace=namespace or "/", id=id, data=[answer]))
