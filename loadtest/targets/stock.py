"""python-socketio as it comes, with its manager for the bus in TARGET_BUS (redis:// or amqp://)."""

from __future__ import annotations

import os

import socketio

from socketio_cluster.loadtest.targets.events import new_server

bus = os.environ.get("TARGET_BUS", "")
if not bus.startswith(("redis://", "rediss://", "amqp://", "amqps://")):
    raise SystemExit(f"TARGET_BUS is {bus!r}: set it to the URL of a bus, redis://HOST:PORT/0 or amqp://…")
manager = socketio.AsyncAioPikaManager if bus.startswith("amqp") else socketio.AsyncRedisManager

sio = new_server("stock", manager(bus))
app = socketio.ASGIApp(sio)
