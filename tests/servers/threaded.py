"""The application for WSGI servers, whose workers share a port."""

from __future__ import annotations

import os

from flask import Flask, request
from flask_socketio import SocketIO, emit, join_room

from socketio_cluster import AnyNode, SyncClusterManager

app = Flask(__name__)
manager = SyncClusterManager()
socketio = SocketIO(
    app, client_manager=manager, async_mode=os.environ.get("MODE", "threading"), cors_allowed_origins="*"
)
AnyNode(manager)


@socketio.on("join")
def join(room):
    join_room(room)
    return room


@socketio.on("say")
def say(room, words):
    emit("said", words, to=room)


@socketio.on("where")
def where():
    return [manager.node_id, os.getpid(), socketio.server.transport(request.sid), len(manager.nodes())]
