"""Ends the HTTP connections of a uvicorn server, each after an answer, before the server itself stops."""

from __future__ import annotations

from typing import Any

import uvicorn

from socketio_cluster.cluster.http.protocol import CLOSE, HttpProtocol


def close_after_answers(server: uvicorn.Server) -> None:
    """Let each HTTP connection end with its next answer; new connections get one answer each.

    So the next request of a polling client takes a new connection, which a balancer leads to another node.
    """
    server.config.loaded_app = app = LastAnswers(server.config.loaded_app)
    for connection in server.server_state.connections:
        if isinstance(connection, HttpProtocol):  # with or without a request at the moment
            connection.end_after_answer(app)


def stop_accepting(server: uvicorn.Server) -> None:
    """Take no new connections, and end the HTTP connections that have had an answer and wait for nothing."""
    for listening in server.servers:
        listening.close()
    for connection in list(server.server_state.connections):
        if isinstance(connection, HttpProtocol) and connection.has_answered:
            connection.shutdown()


class LastAnswers:
    """Stands before an ASGI application and makes each HTTP answer the last one of its connection."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a request."""

        async def send_last(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), CLOSE]}
            await send(message)

        await self._app(scope, receive, send_last if scope["type"] == "http" else send)
