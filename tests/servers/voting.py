"""A page of Flask on gevent-websocket that votes on a plain WebSocket, beside Socket.IO's clients."""

from __future__ import annotations

from flask import request

from tests.servers.threaded import app, manager, socketio

__all__ = ["app", "manager"]


@app.route("/vote", websocket=True)
def vote():
    """Take votes, and tell them to everybody; the page hears how many this worker has counted."""
    websocket = request.environ["wsgi.websocket"]
    count = 0
    while (choice := websocket.receive()) is not None:
        count += 1
        socketio.emit("voted", choice)
        websocket.send(str(count))
    return ""
