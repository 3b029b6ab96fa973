"""Clients have the middlewares and exception handlers of servers, with asyncio and without."""

from __future__ import annotations

import asyncio

import pytest
import socketio

import socketio_cluster
from socketio_cluster import Refused, Skip
from tests.harness import eventually, three_nodes

INTERNAL = {"error": "Internal client error"}


@pytest.fixture
async def nodes(redis_url, prefix):
    """Two nodes; the client is at the second."""
    async with three_nodes(redis_url, prefix, count=2) as two:
        yield two


class Waited:
    """An ``AsyncClient``, and hooks as they are."""

    def __init__(self):
        self.sio = socketio_cluster.AsyncClient(reconnection=False, handle_sigint=False)

    async def connect(self, url, **options):
        await self.sio.connect(url, transports=["websocket"], **options)

    async def disconnect(self):
        await self.sio.disconnect()


class Blocking:
    """A ``Client`` in threads."""

    def __init__(self):
        self.sio = socketio_cluster.Client(reconnection=False, handle_sigint=False)

    async def connect(self, url, **options):
        await asyncio.to_thread(self.sio.connect, url, transports=["websocket"], **options)

    async def disconnect(self):
        await asyncio.to_thread(self.sio.disconnect)


@pytest.fixture(params=[Waited, Blocking], ids=["AsyncClient", "Client"])
async def client(request):
    """A client that ends with the test."""
    one = request.param()
    yield one
    await one.disconnect()


async def test_events(nodes, client):
    """Middlewares change arguments, refuse and skip before a client's handlers; a server's call hears it."""
    sio, seen = client.sio, []

    @sio.middleware
    def check(event, args):
        seen.append(event)
        if event == "bad":
            raise Refused("not that", 1)
        if event == "known":
            raise Skip("cached")
        if event == "price":
            args[0] *= 2

    @sio.middleware(namespace="/chat")
    def never(event, args):
        seen.append("wrong namespace")

    sio.on("*", lambda event, *args: args)
    await client.connect(nodes[1].url)
    events = ("price", "bad", "known", "other")
    answers = [await nodes[0].sio.call(event, 21, to=sio.get_sid()) for event in events]
    assert answers == [42, {"error": "not that", "data": 1}, "cached", 21]
    assert seen == ["connect", "price", "bad", "known", "other"]


async def test_errors(nodes, client, caplog):
    """The nearest exception handler answers a server's call; without one the call gets an error."""
    sio = client.sio

    @sio.exception_handler(LookupError)
    def lookup(event, error):
        return f"{event}: {type(error).__name__}"

    sio.on("key", lambda: {}["key"])
    sio.on("zero", lambda: 1 / 0)
    sio.on("odd", lambda: {1, 2})
    await client.connect(nodes[1].url)
    sid = sio.get_sid()
    assert [await nodes[0].sio.call(event, to=sid) for event in ("key", "zero", "odd")] == [
        "key: KeyError",
        INTERNAL,
        INTERNAL,
    ]
    for event in "zero", "odd":
        assert f"event '{event}' of client {sid} in namespace / failed" in caplog.text


async def test_notices(nodes, client):
    """Handlers of connect and disconnect run whatever the middlewares raise."""
    sio, heard = client.sio, []

    @sio.middleware
    def guard(event, args):
        raise {"connect": Refused("no"), "disconnect": Skip()}[event]

    for event in "connect", "disconnect":
        sio.on(event, lambda *args, event=event: heard.append(event))
    await client.connect(nodes[1].url)
    await eventually(lambda: "connect" in heard)
    await client.disconnect()
    await eventually(lambda: heard == ["connect", "disconnect"])


async def test_refused_connection(nodes, client, caplog):
    """The handler of connect_error runs though a middleware fails, which is logged."""
    sio, heard = client.sio, []

    @sio.middleware
    def broken(event, args):
        raise KeyError(event)

    sio.on("connect_error", heard.append, namespace="/nowhere")
    with pytest.raises(socketio.exceptions.ConnectionError):
        await client.connect(nodes[1].url, namespaces=["/nowhere"])
    assert heard == [{"message": "Invalid namespace"}]
    assert "KeyError: 'connect_error'" in caplog.text


async def test_coroutine_functions(nodes):
    """An ``AsyncClient`` awaits its middlewares and exception handlers."""
    sio = socketio_cluster.AsyncClient(reconnection=False, handle_sigint=False)

    @sio.middleware
    async def slow(event, args):
        await asyncio.sleep(0)
        args.append("late")

    @sio.exception_handler(ValueError)
    async def answer(event, error):
        await asyncio.sleep(0)
        return str(error)

    @sio.event
    async def ask(word):
        raise ValueError(word)

    await sio.connect(nodes[1].url, transports=["websocket"])
    try:
        assert await nodes[0].sio.call("ask", to=sio.get_sid()) == "late"
    finally:
        await sio.disconnect()


def test_no_coroutine_functions_without_asyncio():
    """``Client`` refuses coroutine functions where they are registered."""

    async def hook(event, args):
        pass

    for register in (
        socketio_cluster.Client().middleware,
        socketio_cluster.Client().exception_handler(ValueError),
    ):
        with pytest.raises(TypeError, match="is a coroutine function"):
            register(hook)
