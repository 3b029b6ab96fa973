"""A worker that lets nobody in any more, but goes on serving those who are in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import uvicorn

from socketio_cluster.cluster.stack import served
from socketio_cluster.cluster.strict.answers import DRAINING
from socketio_cluster.cluster.strict.gate import gate_of
from socketio_cluster.manager.client_manager import ClusterManager

_CLOSE: Final = (b"connection", b"close")


def shut(server: uvicorn.Server, managers: Iterable[ClusterManager]) -> None:
    """Refuse new sessions, and let each HTTP connection end with its next answer.

    So the next request of a polling client takes a new connection, which a balancer leads to another node.
    """
    for manager in served(managers):
        gate = gate_of(manager.host)
        if gate is not None:
            gate.closed = DRAINING
    server.config.loaded_app = app = LastAnswers(server.config.loaded_app)
    for connection in server.server_state.connections:
        if hasattr(connection, "cycle"):  # HTTP, with or without a request at the moment
            _last_answer(connection, app)


def stop_accepting(server: uvicorn.Server) -> None:
    """Take no new connections, and end the HTTP connections that have had an answer and wait for nothing."""
    for listening in server.servers:
        listening.close()
    for connection in list(server.server_state.connections):
        if getattr(connection, "cycle", None) is not None:
            connection.shutdown()


def _last_answer(connection: Any, app: Any) -> None:
    connection.app = app
    cycle = connection.cycle
    if cycle is not None and not cycle.response_started:  # an answer that is awaited, such as that of a poll
        cycle.default_headers = [*cycle.default_headers, _CLOSE]


class LastAnswers:
    """Stands before an ASGI application: each HTTP answer is the last one of its connection."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a request."""

        async def last(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), _CLOSE]}
            await send(message)

        await self._app(scope, receive, last if scope["type"] == "http" else send)
