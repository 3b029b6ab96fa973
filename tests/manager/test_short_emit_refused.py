"""An emit that is not as most are is refused in C, before anything happens, and goes the way in Python."""

from __future__ import annotations

import asyncio
import logging

import pytest
import socketio

from socketio_cluster import ClusterManager
from socketio_cluster.manager import short_emit
from socketio_cluster.manager.native.library import VARIABLE
from tests.manager.emits_rig import EMPTY, ROOM, Emits, both, there

pytestmark = there

UNUSUAL = {
    "bytes": (("news", b"x"), {}),
    "not a number": (("news", float("nan")), {}),
    "a room that is a number": (("news", 1), {"room": 5}),
    "several rooms": (("news", 1), {"room": [ROOM, EMPTY]}),
    "an event of Socket.IO": (("connect", 1), {}),
    "no event": (("", 1), {}),
}


@pytest.mark.parametrize("case", UNUSUAL)
async def test_what_is_refused(case):
    """The rest goes the way in Python."""
    one = await Emits().start()
    args, options = UNUSUAL[case]
    await one.emit(*args, **options)
    assert one.went == [False]


async def refuses(one):
    """Whether an emit that would go the short way does not, and arrives nevertheless."""
    before = one.node._first.publisher.number
    assert await one.emit("news", "text", room=ROOM) is None
    assert one.node._first.publisher.number > before
    return one.went == [False]


@pytest.mark.parametrize("recovery", [False, True])
async def test_an_empty_list_is_nobody(recovery):
    """Nothing is published for an empty list of rooms, also while there may be a bridge."""
    one = await Emits(recovery=recovery).start()
    one.bridges("unknown")
    before = one.node._first.publisher.number
    assert await one.emit("news", "text", room=[]) is None
    assert one.node._first.publisher.number == before
    assert one.written == []


async def test_not_with_another_format():
    """A packet class that an application puts in is asked."""
    one = await Emits().start()
    one.sio.packet_class = type("Own", (one.sio.packet_class,), {})
    assert await refuses(one)


async def test_not_what_is_too_large():
    """What the buffer cannot hold raises an error, and nobody gets it."""
    compiled, python = await both(buffer_bytes=1 << 20)
    raised = await compiled.emit("news", "x" * (1 << 20), room=ROOM)
    assert raised == await python.emit("news", "x" * (1 << 20), room=ROOM)
    assert raised is not None
    assert compiled.seen == python.seen
    assert compiled.written == []


def test_another_loop():
    """A manager whose loop has ended is a new node, which has a short way of its own."""
    one = Emits()
    asyncio.run(one.start())

    async def again():
        one.manager.node.start = None
        one.manager.enter_loop()
        assert one.manager._short_emit is None

    asyncio.run(again())


async def test_absent(monkeypatch):
    """Without the file, or with the environment's word, emits go the way in Python."""
    one = await Emits().start()
    monkeypatch.setenv(VARIABLE, "off")
    assert short_emit.short_emit(one.manager) is None


async def test_alone():
    """A node without a bus goes the way in Python."""
    manager = ClusterManager()
    socketio.AsyncServer(async_mode="asgi", client_manager=manager)
    await manager.start()
    assert manager._short_emit is None
    await manager.close()


@pytest.mark.parametrize(
    ("part", "value", "why"),
    [
        ("backlog", object(), "has no attribute '_unsent'"),
        ("reserved", None, "reserved is missing or of another type"),
        ("room_prefix", "ä", "a name that is not ASCII"),
    ],
)
async def test_does_not_fit(monkeypatch, caplog, part, value, why):
    """When it does not fit the objects of this release, a line says so, and emits go the way in Python."""
    one = await Emits().start()
    parts = short_emit._posting_parts, short_emit._parts
    monkeypatch.setattr(short_emit, "_posting_parts", lambda manager: {})
    monkeypatch.setattr(short_emit, "_parts", lambda of: {**parts[0](of), **parts[1](of), part: value})
    with caplog.at_level(logging.WARNING):
        assert short_emit.short_emit(one.manager) is None
    (line,) = caplog.messages
    assert why in line
