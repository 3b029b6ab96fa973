"""A node in a process of its own, which tests kill and freeze; its clients say in ``auth`` where they are."""

from __future__ import annotations

import asyncio
import signal

from tests.outage.process_node import ProcessNode

NODE = """
import sys, socketio, uvicorn
from socketio_cluster import AsyncServer, ClusterManager
url, prefix, quick = sys.argv[1:]
timing = {"heartbeat": 0.4, "dead_after": 2.0, "presence_grace": 1.5} if quick == "quick" else {}
sio = AsyncServer(async_mode="asgi", client_manager=ClusterManager(url, prefix=prefix, **timing))
@sio.event
async def connect(sid, environ, auth):
    await sio.presence.track(sid, auth["room"], key=auth["key"])
@sio.presence.on_join
def joined(room, key, meta):
    print("join", room, key, flush=True)
@sio.presence.on_leave
def left(room, key, meta):
    print("leave", room, key, flush=True)
"""


class FarNode(ProcessNode):
    """The process. ``calls`` gets what its handlers were called with, as the ``calls`` fixture has it."""

    def __init__(self, calls):
        super().__init__(NODE)
        self.calls = calls

    async def start(self, url, prefix, quick="quick"):
        await super().start(url, prefix, quick)
        self.reading = asyncio.create_task(self._read())
        return self

    async def _read(self):
        while line := await self.process.stdout.readline():
            kind, room, key = line.decode().split()
            self.calls.append((kind, room, key, {}))

    def send(self, number):
        self.process.send_signal(number)

    async def end(self, number=signal.SIGKILL):
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGCONT)
        await self.kill(number)
        await self.reading
