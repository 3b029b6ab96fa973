"""The application for every ASGI server."""

from __future__ import annotations

import socketio

from tests.servers.handlers import make

sio = make("asgi")
app = socketio.ASGIApp(sio, on_shutdown=sio.shutdown)
