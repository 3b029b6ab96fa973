"""The end of a line at which uvicorn serves a client's WebSocket, as if uvicorn had accepted it."""

from __future__ import annotations

from uvicorn import Config
from uvicorn.server import ServerState

from socketio_cluster.cluster.forward.forwarder import Forwarder
from socketio_cluster.cluster.forward.line import NodeLine
from socketio_cluster.cluster.forward.messages import Ask
from socketio_cluster.cluster.http.websocket import serve_websocket


def serve_client(config: Config, state: ServerState, line: NodeLine, owner: Forwarder, ask: Ask) -> None:
    """Let uvicorn serve a client's WebSocket on a line.

    Args:
        config: uvicorn's settings.
        state: uvicorn's open connections and running calls.
        line: the line, which belongs to uvicorn from now on.
        owner: the forwarder of the session's node.
        ask: the request for the WebSocket.
    """
    serve_websocket(
        line.transport,
        ask.head() + line.rest(),
        config=config,
        state=state,
        app=owner.answer,
        client=ask.client,
        scheme=ask.scheme,
    )
