"""A client that is let go has all that was said until its disconnect handler, and sees no error."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from socketio_cluster.cluster.drain.goodbye import say_goodbye
from socketio_cluster.cluster.lane.frames import CLOSE
from socketio_cluster.manager.host import handlers
from tests.bare_sessions import raw_polling
from tests.cluster.lane_helpers import lane_node, raw
from tests.harness import SECONDS, eventually


@pytest.fixture
async def node():
    async with lane_node() as one:
        yield one


async def test_last_post(node):
    """A polling client that speaks while its goodbye comes is told ok, before it has fetched it and after."""
    async with raw_polling(node) as one:
        assert await one.post("40") == 200
        assert (await one.get())[0].startswith("40")
        (socket,) = node.sockets.values()
        going = asyncio.create_task(say_goodbye(node.manager, socket, "test"))
        await eventually(lambda: node.reasons == ["test"])
        assert await one.post('42["event"]') == 200
        while (await one.get())[0] != "1":
            pass
        await going
        assert not node.sockets
        assert await one.post('42["event"]') == 200
        assert await one.post("not a packet") == 200
        one.url = one.url[:-1]
        assert await one.post('42["event"]') == 400
        assert [entry[0] for entry in node.log] == ["connect", "disconnect"]


async def test_handlers_end_first(node):
    """All that a handler emits while its client is let go reaches the client, then the goodbye comes."""
    go_on = asyncio.Event()

    @node.sio.event
    async def work(sid):
        await node.sio.emit("piece", 1, to=sid)
        await go_on.wait()
        await node.sio.emit("piece", 2, to=sid)

    async with raw(node) as one:
        await one.say('42["work"]')
        assert await one.text() == '42["piece",1]'
        (socket,) = node.sockets.values()
        leaving = asyncio.create_task(say_goodbye(node.manager, socket, "test"))
        await node.sio.emit("piece", "between", to=one.sid)
        assert await one.text() == '42["piece","between"]'
        assert not node.reasons
        go_on.set()
        assert await one.text() == '42["piece",2]'
        assert await one.closed() == 1012
        await leaving
    assert node.reasons == ["test"]


async def test_handler_without_end(node, monkeypatch):
    """A handler that goes on holds up the goodbye for a while, not for ever."""
    monkeypatch.setattr(handlers, "END_SECONDS", 0.05)
    began = asyncio.Event()

    @node.sio.event
    async def work(sid):
        began.set()
        await asyncio.sleep(SECONDS)

    async with raw(node) as one:
        await one.say('42["work"]')
        await began.wait()
        (socket,) = node.sockets.values()
        await say_goodbye(node.manager, socket, "test")
        assert await one.closed() == 1012


async def test_half_closed(node):
    """What is said until the disconnect handler runs reaches a client that writes no more."""
    due = []

    @node.sio.event
    async def disconnect(sid, reason):
        due.append(next(numbers))

    async def talk():
        while not due:
            await node.sio.emit("number", next(numbers))
            await asyncio.sleep(0)

    numbers = itertools.count()
    async with raw(node) as one:
        talking = asyncio.create_task(talk())
        assert await one.text() == '42["number",0]'
        one.sock.shutdown(1)
        heard = 1
        while (frame := await one.frame())[0] != CLOSE:
            assert frame[1].decode() == f'42["number",{heard}]'
            heard += 1
        await talking
        assert due == [heard]
