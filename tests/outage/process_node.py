"""A node in a process of its own, for signals."""

from __future__ import annotations

import asyncio
import signal
import sys

SERVING = """
class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        await sio.manager.start()
        print(sio.manager.node_id, self.servers[0].sockets[0].getsockname()[1], flush=True)
app = socketio.ASGIApp(sio, on_shutdown=sio.shutdown)
Server(uvicorn.Config(app, port=0, log_level="error", timeout_graceful_shutdown=1)).run()
"""
"""The end of each program: it serves ``sio``, and says first which node that is, and at which port."""


class ProcessNode:
    """The process. ``program`` imports socketio and uvicorn and makes ``sio``."""

    def __init__(self, program):
        self._program = program + SERVING

    async def start(self, *arguments):
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", self._program, *arguments, stdout=asyncio.subprocess.PIPE
        )
        line = await asyncio.wait_for(self.process.stdout.readline(), 30)
        self.id, port = line.decode().split()
        self.url = f"http://127.0.0.1:{port}"

    async def kill(self, how=signal.SIGKILL):
        if self.process.returncode is None:
            self.process.send_signal(how)
            await self.process.wait()
