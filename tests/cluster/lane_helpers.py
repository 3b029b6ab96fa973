"""A node with the lane or without, and WebSocket clients that see and send bare frames."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gc
import os
import socket
from functools import partial
from urllib.parse import urlsplit

import socketio
import uvicorn
from websockets.frames import apply_mask

from socketio_cluster.cluster.http.entering import open_entrance
from socketio_cluster.cluster.http.front import FrontProtocol
from socketio_cluster.cluster.http.lane_protocol import LaneProtocol
from socketio_cluster.cluster.http.newcomers import Newcomers
from socketio_cluster.cluster.http.protocol import HttpStats
from socketio_cluster.cluster.http.websocket import RelayProtocol
from socketio_cluster.cluster.lane.entrance import entrance
from socketio_cluster.cluster.lane.frames import CLOSE, TEXT
from socketio_cluster.cluster.lane.install import Lanes
from socketio_cluster.cluster.metrics.watch import Watching
from socketio_cluster.cluster.stack import Stack
from socketio_cluster.cluster.strict.gate import Strict
from tests.harness import SECONDS, Node, Server, eventually


class LaneNode(Node):
    """A node that is alone, and takes the lane or the ordinary path as the test says.

    ``wrap`` makes the ASGI app that is served out of the Socket.IO server. With ``short`` new sessions go the
    short way, as under ``serve``.
    """

    def __init__(self, lane=True, wrap=socketio.ASGIApp, *, short=False, **options):
        super().__init__(None, "lane", **options)
        self.lane = lane
        self.wrap = wrap
        self.short = short

    async def start(self):
        listener = socket.create_server(("127.0.0.1", 0), backlog=1000)
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            self.wrap(self.sio),
            http=partial(FrontProtocol, Newcomers(HttpStats())) if self.short else "auto",
            ws=LaneProtocol if self.lane else RelayProtocol,
            ws_per_message_deflate=False,
            lifespan="off",
            log_level="critical",
            timeout_graceful_shutdown=1,
        )
        self.server = Server(config)
        await self.manager.start()
        self.lanes = Lanes(config.app if self.short else None)
        Stack([*self.layers, Watching(), *([self.lanes] if self.lane else []), Strict()]).install(
            [self.manager]
        )
        self.serving = asyncio.create_task(self.server.serve(sockets=[listener]))
        await eventually(lambda: self.server.started or self.serving.done())
        if self.short:
            open_entrance(config, entrance)

    @property
    def hooks(self):
        """What the lanes of this node share."""
        return self.manager.host.layers["lane"]

    @property
    def sockets(self):
        """python-engineio's sockets by sid."""
        return self.sio.eio.sockets

    @property
    def reasons(self):
        """Why clients were disconnected, in order."""
        return [entry[2] for entry in self.log if entry[0] == "disconnect"]

    @property
    def forgotten(self):
        """Nothing of any connection is left on this node."""
        lanes = self.hooks.lanes if self.lane else ()
        return self.empty and not self.sockets and not lanes


@contextlib.asynccontextmanager
async def lane_node(lane=True, **options):
    """A running node; at its end nothing has gone wrong in its loop behind the back of the test."""
    errors = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: errors.append(context))
    node = LaneNode(lane, **options)
    await node.start()
    try:
        yield node
    finally:
        await node.stop()
        gc.collect()  # a task that failed unseen says so when it is collected
        asyncio.get_running_loop().set_exception_handler(None)
    assert not errors


def client_frame(opcode, payload, *, fin=True, mask=b"\x01\x02\x03\x04", first=None):
    """A masked frame; ``first`` replaces its first byte."""
    size = len(payload)
    head = bytes([first if first is not None else fin << 7 | opcode])
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 65536:
        head += b"\xfe" + size.to_bytes(2, "big")
    else:
        head += b"\xff" + size.to_bytes(8, "big")
    return head + mask + (apply_mask(payload, mask) if payload else b"")


class RawSocket:
    """A WebSocket client that reads only when it is told to, and sends any bytes."""

    def __init__(self, node, *, receive_buffer=None):
        self.node = node
        self.receive_buffer = receive_buffer
        self.buffer = b""

    async def open(self, query=""):
        """Shake hands; returns the status line."""
        self.sock = socket.socket()
        self.sock.setblocking(False)
        if self.receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
        address = urlsplit(self.node.url)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self.sock, (address.hostname, address.port))
        key = base64.b64encode(os.urandom(16)).decode()
        request = (
            f"GET /socket.io/?EIO=4&transport=websocket{query} HTTP/1.1\r\nHost: {address.netloc}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n\r\n"
        )
        await loop.sock_sendall(self.sock, request.encode())
        while b"\r\n\r\n" not in self.buffer:
            self.buffer += await self._receive(65536)
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        return head.split(b"\r\n")[0].decode()

    async def _receive(self, size):
        data = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.sock, size), SECONDS)
        if not data:
            raise ConnectionResetError("the server closed the connection")
        return data

    async def exactly(self, size):
        while len(self.buffer) < size:
            self.buffer += await self._receive(max(size - len(self.buffer), 65536))
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    async def frame(self):
        """The next frame as it is: its opcode and payload; final, not masked, no reserved bits."""
        first, size = await self.exactly(2)
        assert first & 0xF0 == 0x80
        if size >= 126:
            size = int.from_bytes(await self.exactly(2 if size == 126 else 8), "big")
        return first & 0x0F, await self.exactly(size)

    async def text(self):
        """The next frame, which must be a text."""
        opcode, payload = await self.frame()
        assert opcode == TEXT, (opcode, payload)
        return payload.decode()

    async def closed(self):
        """The close code; whatever comes before is left out, nothing comes behind the close frame."""
        while (frame := await self.frame())[0] != CLOSE:
            pass
        with contextlib.suppress(ConnectionError):
            await self.send(client_frame(*frame))
            rest = await self._receive(1)
            raise AssertionError(f"{rest + self.buffer!r} came behind the close frame")
        assert not self.buffer
        return int.from_bytes(frame[1][:2], "big")

    async def lost(self):
        """Return when the connection has ended, however it did."""
        with contextlib.suppress(ConnectionResetError):
            while True:
                await self._receive(1 << 20)

    async def send(self, *wires):
        await asyncio.get_running_loop().sock_sendall(self.sock, b"".join(wires))

    async def say(self, *texts):
        """Send texts, each in a frame."""
        await self.send(*(client_frame(TEXT, text.encode()) for text in texts))

    def drop(self):
        self.sock.close()


@contextlib.asynccontextmanager
async def raw(node, *, receive_buffer=None, namespace=True):
    """A bare client after the Engine.IO handshake, and connected to "/" unless told otherwise."""
    one = RawSocket(node, receive_buffer=receive_buffer)
    try:
        assert await one.open() == "HTTP/1.1 101 Switching Protocols"
        one.opened = await one.text()
        assert one.opened.startswith("0{")
        one.eio_sid = one.opened.split('"')[3]
        if namespace:
            await one.say("40")
            one.sid = (await one.text()).split('"')[3]
        yield one
    finally:
        one.drop()
