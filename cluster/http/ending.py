"""Ends the HTTP connections of a uvicorn server, each after an answer, before the server itself stops."""

from __future__ import annotations

from typing import Any, Final

import uvicorn

_CLOSE: Final = (b"connection", b"close")


def close_after_answers(server: uvicorn.Server) -> None:
    """Let each HTTP connection end with its next answer; new connections get one answer each.

    So the next request of a polling client takes a new connection, which a balancer leads to another node.
    """
    server.config.loaded_app = app = LastAnswers(server.config.loaded_app)
    for connection in server.server_state.connections:
        if hasattr(connection, "cycle"):  # it is an HTTP connection, with or without a request at the moment
            _close_after_answer(connection, app)


def stop_accepting(server: uvicorn.Server) -> None:
    """Take no new connections, and end the HTTP connections that have had an answer and wait for nothing."""
    for listening in server.servers:
        listening.close()
    for connection in list(server.server_state.connections):
        if getattr(connection, "cycle", None) is not None:
            connection.shutdown()


def _close_after_answer(connection: Any, app: Any) -> None:
    connection.app = app
    cycle = connection.cycle
    if cycle is not None and not cycle.response_started:  # an answer is awaited, such as that of a poll
        cycle.default_headers = [*cycle.default_headers, _CLOSE]


class LastAnswers:
    """Stands before an ASGI application and makes each HTTP answer the last one of its connection."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a request."""

        async def send_last(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), _CLOSE]}
            await send(message)

        await self._app(scope, receive, send_last if scope["type"] == "http" else send)
