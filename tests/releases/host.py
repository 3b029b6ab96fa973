"""Nodes of whichever release is installed, for tests of another release: one process, driven by its input.

It uses only what both releases have. A line of input is a list in JSON, a method of ``Host`` and its
arguments; each is answered by a line with the result.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from importlib.metadata import version

import socketio
import uvicorn

import socketio_cluster


class Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self):
        yield


class Node:
    """A node whose handlers do what a client asks for."""

    def __init__(self, url, prefix, options):
        manager = socketio_cluster.ClusterManager(url, prefix=prefix, **options)
        self.sio = socketio_cluster.AsyncServer(async_mode="asgi", client_manager=manager)
        self.streaming = None
        self.sent = 0
        for handler in (self.emit, self.call, self.enter_room, self.close_room, self.disconnect_client):
            self.sio.on(handler.__name__, handler)
        for handler in (self.count, self.stream, self.end):
            self.sio.on(handler.__name__, handler)

    async def start(self):
        config = uvicorn.Config(
            socketio.ASGIApp(self.sio), port=0, lifespan="off", log_level="error", timeout_graceful_shutdown=1
        )
        self.server = Server(config)
        await self.sio.manager.start()
        self.serving = asyncio.create_task(self.server.serve())
        while not self.server.started:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.01)
        return [self.sio.manager.node_id, self.server.servers[0].sockets[0].getsockname()[1]]

    async def stop(self):
        self.server.should_exit = True
        await self.serving
        await self.sio.shutdown()

    async def emit(self, sid, event, data, options):
        await self.sio.emit(event, data, **options)
        return True

    async def call(self, sid, event, data, to):
        return await self.sio.call(event, data, to=to, timeout=10)

    async def enter_room(self, sid, client, room):
        await self.sio.enter_room(client, room)
        return True

    async def close_room(self, sid, room):
        await self.sio.close_room(room)
        return True

    async def disconnect_client(self, sid, client):
        await self.sio.disconnect(client)
        return True

    async def count(self, sid, room):
        return await self.sio.count(room)

    async def stream(self, sid, seconds):
        """Emit numbers to everybody, with a pause between two, until ``end``."""

        async def run():
            while True:
                self.sent += 1
                await self.sio.emit("tick", (self.sio.manager.node_id, self.sent))
                await asyncio.sleep(seconds)

        self.streaming = asyncio.create_task(run())
        return True

    async def end(self, sid):
        """End the stream, and tell how many numbers there were."""
        self.streaming.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.streaming
        return self.sent


class Host:
    def __init__(self):
        self.nodes = {}

    async def release(self):
        return [version("socketio-cluster"), socketio_cluster.__file__]

    async def start(self, url, prefix, options):
        node = Node(url, prefix, options)
        found = await node.start()
        self.nodes[found[0]] = node
        return found

    async def stop(self, name):
        await self.nodes.pop(name).stop()

    async def stats(self, name):
        stats = self.nodes[name].sio.manager.stats
        return {
            "refused": dict(stats.refused),
            "lost": stats.lost,
            "nodes": list(self.nodes[name].sio.manager.nodes()),
        }


async def main():
    host = Host()
    while line := await asyncio.to_thread(sys.stdin.readline):
        method, *arguments = json.loads(line)
        print(json.dumps(await getattr(host, method)(*arguments)), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
