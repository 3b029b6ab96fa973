"""Whatever else the ASGI app is made of works as without the lane."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
import socketio
import websockets

from tests.cluster.lane_helpers import RawSocket, lane_node, raw
from tests.harness import client, eventually, fence


async def echo(scope, receive, send):
    """An ASGI app with a WebSocket of its own that echoes, and a page."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"page"})
        return
    await receive()
    await send({"type": "websocket.accept", "subprotocol": "echo"})
    while (event := await receive())["type"] == "websocket.receive":
        await send({**event, "type": "websocket.send"})


def beside(sio):
    """Socket.IO with another app beside it."""
    return socketio.ASGIApp(sio, other_asgi_app=echo)


class Middleware:
    """Wraps receive and send as Starlette's do, and closes at the end; ``hold`` holds up what is sent."""

    def __init__(self, sio):
        self.app = socketio.ASGIApp(sio)
        self.sent = []
        self.hold = asyncio.Event()
        self.hold.set()

    async def __call__(self, scope, receive, send):
        async def wrapped_receive():
            await asyncio.sleep(0)
            return await receive()

        async def wrapped_send(message):
            self.sent.append(message["type"])
            await send(message)
            await self.hold.wait()

        await self.app(dict(scope), wrapped_receive, wrapped_send)
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})


async def test_other_routes():
    """A WebSocket route and a page of another app beside Socket.IO work, while Socket.IO is on the lane."""
    async with lane_node(wrap=beside) as node, client(node) as one:
        assert len(node.hooks.lanes) == 1
        url = node.url.replace("http", "ws") + "/echo"
        async with websockets.connect(url, proxy=None, subprotocols=["echo"]) as other:
            await other.send("text" * 50_000)
            await other.send(b"bytes")
            assert [await other.recv(), await other.recv()] == ["text" * 50_000, b"bytes"]
            await other.ping()
        async with aiohttp.ClientSession() as http, http.get(node.url) as page:
            assert await page.text() == "page"
        await fence(node, one)


async def test_middleware():
    """Behind a middleware that wraps receive and send, and closes what is over, a client is on the lane."""
    async with lane_node(wrap=Middleware) as node, client(node) as one:
        assert len(node.hooks.lanes) == 1
        await node.sio.emit("n", 1)
        assert await one.next("n") == [1]
        assert await one.call("echo", b"x") == [b"x"]
        assert node.server.config.loaded_app.app.sent == ["websocket.accept"]


async def test_no_compression():
    """permessage-deflate is declined, and a client that offers it is on the lane."""
    async with lane_node() as node:
        url = node.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
        async with websockets.connect(url, proxy=None, compression="deflate") as ws:
            assert not ws.protocol.extensions
            assert "Sec-WebSocket-Extensions" not in ws.response.headers
            assert (await ws.recv()).startswith("0{")
            assert len(node.hooks.lanes) == 1


async def test_early_frames():
    """What a client sends before its connection is taken over is not lost: it goes the ordinary way."""
    async with lane_node(wrap=Middleware) as node:
        hold = node.server.config.loaded_app.app.hold = asyncio.Event()
        one = RawSocket(node)
        assert " 101 " in await one.open()
        await one.say("40", '421["a"]')
        (protocol,) = node.server.server_state.connections
        await eventually(lambda: protocol._resumed)
        hold.set()
        assert (await one.text()).startswith("0{")
        assert (await one.text()).startswith('40{"sid"')
        assert await one.text() == "431[]"
        assert not node.hooks.lanes
        await node.sio.emit("news")
        assert await one.text() == '42["news"]'
        one.drop()
        await eventually(lambda: node.forgotten)


@pytest.mark.parametrize("lane", [True, False], ids=["lane", "ordinary"])
async def test_origin_refused(lane):
    """A handshake from an origin that is not allowed is refused before it is a WebSocket."""
    async with lane_node(lane, server_options={"cors_allowed_origins": "https://good.test"}) as node:
        url = node.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
        with pytest.raises(websockets.InvalidStatus) as refused:
            await websockets.connect(url, proxy=None, origin="https://bad.test")
        assert refused.value.response.status_code in (400, 403)
        async with websockets.connect(url, proxy=None, origin="https://good.test") as ws:
            assert (await ws.recv()).startswith("0{")
        await eventually(lambda: node.forgotten)


@pytest.mark.parametrize(
    "query", ["EIO=3&transport=websocket", "EIO=4&transport=websocket&sid=unknown", "EIO=4&transport=other"]
)
async def test_handshake_refused(query):
    """A handshake that Engine.IO refuses is an HTTP answer, and leaves nothing."""
    async with lane_node() as node:
        url = f"{node.url.replace('http', 'ws')}/socket.io/?{query}"
        with pytest.raises(websockets.InvalidStatus) as refused:
            await websockets.connect(url, proxy=None)
        assert refused.value.response.status_code in (400, 403)
        assert node.forgotten


async def test_path_with_query():
    """The environ of a client on the lane is the one its handshake had."""
    async with lane_node() as node:
        one = RawSocket(node)
        seen = {}
        node.sio.on("connect", lambda sid, environ: seen.update(environ))
        await one.open("&token=secret")
        await one.say("40")
        await one.text(), await one.text()
        assert "token=secret" in seen["QUERY_STRING"]
        assert seen["HTTP_UPGRADE"] == "websocket"
        one.drop()


async def test_connections_are_uvicorns():
    """Uvicorn counts the connections of lanes, so that it waits for them and closes them when it stops."""
    async with lane_node() as node:
        async with raw(node) as one, raw(node):
            assert len(node.server.server_state.connections) == 2
            one.drop()
            await eventually(lambda: len(node.server.server_state.connections) == 1)
        await eventually(lambda: not node.server.server_state.connections)
