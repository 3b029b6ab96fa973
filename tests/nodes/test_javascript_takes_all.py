"""Nothing that a node sends, or passes on, makes an official JavaScript client disconnect."""

from __future__ import annotations

import contextlib
import functools

import pytest

from tests.bare_sessions import raw_polling, raw_websocket
from tests.harness import eventually
from tests.jsclient import js_driver

NAN, INFINITE = float("nan"), float("inf")


@pytest.fixture
def bus_url(redis_url):
    """One bus is enough: packets are carried as they are."""
    return redis_url


@pytest.fixture(params=["websocket", "polling"])
async def listeners(request, nodes, javascript, serializer):
    """A JavaScript client on each of two nodes."""
    async with contextlib.AsyncExitStack() as stack:
        driver = await stack.enter_async_context(js_driver())
        enter = functools.partial(driver.client, serializer=serializer, transports=[request.param])
        yield [await stack.enter_async_context(enter(node)) for node in nodes[:2]]


def relay(node):
    """Let a node's clients say something to everybody."""

    @node.sio.event
    async def say(sid, *args):
        await node.sio.emit("said", args)


async def test_numbers_that_are_not_finite(nodes, listeners):
    """NaN and the infinities arrive as null: emitted, beside bytes, with a callback and as an answer."""

    @nodes[0].sio.event
    def ask(sid):
        return {"a": NAN}, [INFINITE]

    await nodes[0].sio.emit("n", {"a": [NAN, INFINITE, -INFINITE, 1.5]})
    await nodes[0].sio.emit("bytes", (b"x", NAN))
    for one in listeners:
        assert await one.next("n") == [{"a": [None, None, None, 1.5]}]
        assert await one.next("bytes") == [b"x", None]
        assert await nodes[0].sio.call("echo", (NAN, 1), to=one.sid) == (None, 1)
        assert await one.next("echo") == [None, 1]
    assert await listeners[0].call("ask") == [{"a": None}, [None]]


@pytest.mark.parametrize("serializer", ["msgpack"])
async def test_numbers_in_msgpack(nodes, listeners):
    """MessagePack has NaN, so it passes."""
    await nodes[0].sio.emit("n", [NAN, 1])
    for one in listeners:
        assert (await one.next("n"))[0][1] == 1


@pytest.mark.parametrize("raw", [raw_websocket, raw_polling], ids=["websocket", "polling"])
async def test_one_client_cannot_throw_out_the_others(nodes, listeners, raw):
    """What a made-up client has relayed reaches the others as JSON, or closes its own connection alone."""
    relay(nodes[0])
    async with raw(nodes[0]) as one:
        send = one.send if raw is raw_websocket else one.post
        await send("40")
        await eventually(lambda: len(nodes[0].manager.members.clients) == 2)
        for packet, wanted in (('42["say",1e400]', [None]), ('42["say",{"a":-1e999}]', [{"a": None}])):
            await send(packet)
            for listener in listeners:
                assert await listener.next("said") == wanted
        await send('42["say",NaN]')
        await eventually(lambda: len(nodes[0].manager.members.clients) == 1)
    await nodes[1].sio.emit("still", "here")
    for listener in listeners:
        assert await listener.next("still") == ["here"]


async def test_what_cannot_be_sent(nodes, listeners):
    """An event that clients would refuse raises at the emit, and nobody gets anything of it."""
    sio = nodes[0].sio
    for name in ("connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"):
        with pytest.raises(ValueError):
            await sio.emit(name, to="blue")
    for name in (None, True, b"name", ["name"]):
        with pytest.raises(TypeError):
            await sio.emit(name)
    with pytest.raises(ValueError):
        await sio.emit("many", [b"x"] * 11)
    with pytest.raises(ValueError):
        await sio.call("disconnect", to=listeners[0].sid)
    await sio.emit("ten", [b"x"] * 10)
    for one in listeners:
        assert await one.next("ten") == [[b"x"] * 10]
