"""A node in a process of its own, which tests kill and freeze; its clients say in ``auth`` where they are."""

from __future__ import annotations

import asyncio
import signal
import sys

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
class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        await sio.manager.start()
        print(sio.manager.node_id, self.servers[0].sockets[0].getsockname()[1], flush=True)
app = socketio.ASGIApp(sio, on_shutdown=sio.shutdown)
Server(uvicorn.Config(app, port=0, log_level="error", timeout_graceful_shutdown=1)).run()
"""


class FarNode:
    """The process. ``calls`` gets what its handlers were called with, as the ``calls`` fixture has it."""

    def __init__(self, calls):
        self.calls = calls

    async def start(self, url, prefix, quick="quick"):
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", NODE, url, prefix, quick, stdout=asyncio.subprocess.PIPE
        )
        line = await asyncio.wait_for(self.process.stdout.readline(), 30)
        self.id, port = line.decode().split()
        self.url = f"http://127.0.0.1:{port}"
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
            self.process.send_signal(number)
            await self.process.wait()
        await self.reading
