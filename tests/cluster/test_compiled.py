"""The short way in C is used where it is there and fits; without it nodes work the same."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import weakref

import pytest

from socketio_cluster.cluster.lane import compiled
from socketio_cluster.cluster.lane.connection import Lane
from socketio_cluster.manager.native.library import SHORT, VARIABLE, load
from tests.cluster.one_lane import OneLane
from tests.leaks import nothing_left

there = pytest.mark.skipif(load(SHORT) is None, reason="the short way is not compiled here")


async def goes_in_c():
    """Whether an event of a new server goes the short way in C; it is answered in any case."""
    one = OneLane(short=True)
    await one.connect()
    await one.say(b'421["ask","text"]')
    assert one.wire.written == [b'\x81\x0b431["text"]']
    assert one.short == [True]
    return one.compiled[-1]


@there
async def test_used():
    """It is used where it is."""
    assert await goes_in_c()


async def test_absent(monkeypatch):
    """Without the file events go the way in Python."""
    monkeypatch.setitem(sys.modules, "socketio_cluster.cluster.lane._short", None)
    assert not await goes_in_c()


async def test_off(monkeypatch):
    """The environment can switch it off."""
    monkeypatch.setenv(VARIABLE, "off")
    assert not await goes_in_c()


class NoSlots:
    """A client as it might be one day."""

    sid = state = None


@there
@pytest.mark.parametrize(
    ("part", "value", "why"),
    [
        ("client", NoSlots, "state of NoSlots is no slot"),
        ("stats", NoSlots(), "no attribute 'events'"),
        ("running", None, "running is missing or of another type"),
        ("bounds", (0.0,) * 33, "too many bounds"),
        ("bounds", ("x",), "must be real number"),
    ],
)
async def test_does_not_fit(monkeypatch, caplog, part, value, why):
    """When it does not fit the objects of this release, a line says so, and events go the way in Python."""
    parts = compiled._parts
    monkeypatch.setattr(compiled, "_parts", lambda *of: {**parts(*of), part: value})
    with caplog.at_level(logging.WARNING):
        assert not await goes_in_c()
    (line,) = caplog.messages
    assert why in line


@there
async def test_other_tasks():
    """A loop that makes all of its tasks in a way of its own goes on to do so."""
    loop = asyncio.get_running_loop()
    loop.set_task_factory(lambda loop, work, **options: asyncio.Task(work, loop=loop, **options))
    assert not await goes_in_c()


@there
async def test_wrong_arguments():
    """The method is called with a lane and what it has received, or raises TypeError."""
    one = OneLane(short=True)
    method = type(one.lane).data_received
    for arguments in ((), (one.lane,), (one.lane, b"", b""), (object(), b""), (Lane, b"")):
        with pytest.raises(TypeError, match="takes a lane and its data"):
            method(*arguments)
    with pytest.raises(TypeError):
        method(one.lane, data=b"")


@there
async def test_nothing_is_left():
    """A server that nobody uses any more is collected, with the class of its lanes."""
    one = OneLane(short=True)
    left = weakref.ref(type(one.lane)), weakref.ref(one.manager)
    del one
    await asyncio.sleep(0)
    gc.collect()
    assert [each() for each in left] == [None, None]


@there
async def test_many_events_leave_nothing():
    """However an event ends, it leaves no reference behind."""
    one = OneLane(short=True)
    await one.connect()
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    one.sio.on("bytes", lambda sid: b"x")
    texts = [b'421["ask","text"]', b'421["ask",{}]', b'42["plain"]', b'421["slow"]', b'421["fail"]']
    texts += [b'421["bytes"]', b'421["nobody"]', b'421["ask",1e999]', b'42/other,["ask"]']
    objects = one.lane, one.sid, one.manager.stats, None, True, one.manager.stats.handler_seconds["ask"]

    async def many():
        for text in texts * 200:
            await one.say(text)
            for notes in (one.calls, one.wire.written, one.short, one.compiled):
                notes.clear()

    for _ in range(4):  # The free lists of the interpreter grow for so long.
        await many()
    with nothing_left(*objects):
        await many()
