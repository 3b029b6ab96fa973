"""Bare Engine.IO sessions, in which a test sees and sends each packet as it is."""

from __future__ import annotations

import contextlib

import aiohttp
import websockets


@contextlib.asynccontextmanager
async def raw_websocket(node):
    """A bare WebSocket after the Engine.IO handshake, to see and send each packet as it is."""
    url = node.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
    async with websockets.connect(url, proxy=None, ping_interval=None) as ws:
        assert (await ws.recv()).startswith("0{")
        yield ws


class RawPolling:
    """A bare polling session; packets as they are."""

    def __init__(self, http, node):
        self.http = http
        self.url = f"{node.url}/socket.io/?EIO=4&transport=polling"

    async def open(self):
        async with self.http.get(self.url) as response:
            opened = await response.text()
        self.url += "&sid=" + opened.partition('"sid":"')[2].partition('"')[0]

    async def post(self, packet):
        async with self.http.post(self.url, data=packet) as response:
            return response.status

    async def get(self):
        """The packets of one poll."""
        async with self.http.get(self.url) as response:
            return (await response.text()).split("\x1e")


@contextlib.asynccontextmanager
async def raw_polling(node):
    """A bare polling session after the Engine.IO handshake."""
    async with aiohttp.ClientSession() as http:
        session = RawPolling(http, node)
        await session.open()
        yield session
