"""python-socketio as it comes, with the manager for the bus in BENCHMARK_BUS (redis:// or amqp://)."""

from __future__ import annotations

import os

import socketio

from benchmarks.servers.handlers import add_handlers

bus = os.environ["BENCHMARK_BUS"]
kind = socketio.AsyncRedisManager if bus.startswith("redis") else socketio.AsyncAioPikaManager
sio = socketio.AsyncServer(async_mode="asgi", client_manager=kind(bus))
add_handlers(sio)
app = socketio.ASGIApp(sio)
