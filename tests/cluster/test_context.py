"""Handlers find the context variables that middlewares have set for their own connection, and no others."""

from __future__ import annotations

import asyncio
import contextlib
from contextvars import ContextVar
from urllib.parse import parse_qs

import aiohttp
import socketio

from socketio_cluster.manager.host.session import hang_up
from tests.bare_sessions import RawPolling
from tests.cluster.lane_helpers import RawSocket, lane_node
from tests.harness import eventually, three_nodes

NAME = ContextVar("name", default=None)


class Middleware:
    """Sets the name that the query has for as long as its request lasts."""

    def __init__(self, sio):
        self.app = socketio.ASGIApp(sio)
        self.over = []

    async def __call__(self, scope, receive, send):
        name = parse_qs(scope["query_string"].decode()).get("name", [None])[0]
        token = NAME.set(name)
        try:
            await self.app(scope, receive, send)
        finally:
            NAME.reset(token)
            self.over.append(name)


def note_names(node):
    """Let each handler of a node note the name that it finds."""
    node.names = []

    async def note(*_):
        node.names.append(NAME.get())

    for event in ("connect", "disconnect", "*"):
        node.sio.on(event, note)


@contextlib.asynccontextmanager
async def named(node, name):
    """A WebSocket client that comes with a name."""
    one = RawSocket(node)
    try:
        await one.open(f"&name={name}")
        await one.text()
        await one.say("40")
        one.sid = (await one.text()).split('"')[3]
        yield one
    finally:
        one.drop()


async def test_handlers_of_a_websocket(lane):
    """Connect, event and disconnect handlers of two connections each find their own name."""
    async with lane_node(lane, wrap=Middleware) as node:
        note_names(node)
        async with named(node, "a") as a, named(node, "b") as b:
            await a.say('42["x"]')
            await b.say('42["x"]')
            await eventually(lambda: node.names == ["a", "b", "a", "b"])
            await b.say("41")
            await eventually(lambda: node.names[4:] == ["b"])
        await eventually(lambda: node.names[5:] == ["a"])


async def test_what_a_connect_handler_sets(lane):
    """What the connect handler sets is there for the events of that connection."""
    async with lane_node(lane, wrap=Middleware) as node:
        note_names(node)

        async def connect(*_):
            NAME.set("of the handler")

        node.sio.on("connect", connect)
        async with named(node, "a") as a:
            await a.say('42["x"]')
            await eventually(lambda: node.names == ["of the handler"])


async def test_middlewares_end_with_their_connection(lane):
    """What a middleware does in the end is done when the connection has ended, not after the handshake."""
    async with lane_node(lane, wrap=Middleware) as node:
        async with named(node, "a") as a:
            await a.say('421["x"]')
            assert (await a.text()).startswith("431")
            assert node.server.config.app.over == []
        await eventually(lambda: node.server.config.app.over == ["a"])


async def test_middlewares_end_with_the_server(lane):
    """A server that stops ends its connections, and the middlewares of each have their end."""
    async with contextlib.AsyncExitStack() as clients:
        async with lane_node(lane, wrap=Middleware) as node:
            await clients.enter_async_context(named(node, "a"))
        assert node.server.config.app.over == ["a"]


async def test_timeouts(lane):
    """A client that answers no ping is disconnected with its own name, whoever came first."""
    async with lane_node(
        lane, wrap=Middleware, server_options={"ping_interval": 0.3, "ping_timeout": 0.3}
    ) as node:
        note_names(node)
        async with named(node, "a"), named(node, "b"):
            await eventually(lambda: sorted(node.names) == ["a", "a", "b", "b"])


async def test_other_nodes(bus_url, prefix):
    """A disconnect and an ack that come by the bus do not run with the name of whoever started the node."""
    NAME.set("of who started the node")
    answered = asyncio.get_running_loop().create_future()

    def wrap(node):
        node.app = Middleware(node.sio)
        note_names(node)

    async with three_nodes(bus_url, prefix, count=2, configure=wrap) as (node, other):
        async with named(node, "a"), named(node, "b") as b:
            await other.sio.emit("x", to=b.sid, callback=lambda *_: answered.set_result(NAME.get()))
            ask = await b.text()
            await b.say(f"43{ask[2 : ask.index('[')]}[]")
            assert await answered is None
            await other.sio.disconnect(b.sid)
            await eventually(lambda: node.names == ["a", "b", "b"])


async def test_a_handler_that_disconnects_another_client(lane):
    """The disconnect handler of a client finds its own name, also when the handler of another ended it."""
    async with lane_node(lane, wrap=Middleware) as node:
        note_names(node)

        async def end(sid, other):
            await node.sio.disconnect(other)

        node.sio.on("end", end)
        async with named(node, "a") as a, named(node, "b") as b:
            await a.say(f'42["end","{b.sid}"]')
            await eventually(lambda: node.names == ["a", "b", "b"])


async def test_a_polling_client(prefix):
    """A polling client that the server hangs up on is disconnected with the name that it came with."""

    def wrap(node):
        node.app = Middleware(node.sio)
        note_names(node)

    async with three_nodes(None, prefix, count=1, configure=wrap) as (node,), aiohttp.ClientSession() as http:
        session = RawPolling(http, node)
        session.url += "&name=a"
        await session.open()
        await session.post("40")
        session.url = session.url.replace("&name=a", "&name=of-the-poll")
        await session.get()
        await hang_up(node.sio.eio.sockets[session.url.rpartition("sid=")[2]], "server disconnect")
        assert node.names == ["a", "a"]
