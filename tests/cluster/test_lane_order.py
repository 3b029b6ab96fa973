"""Everything sent to one client keeps its order, and a flush of many clients lets others have their turn."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from socketio_cluster.cluster.lane import flusher
from socketio_cluster.cluster.lane.flusher import SLICE, Flusher
from socketio_cluster.cluster.lane.frames import BINARY, TEXT
from tests.cluster.lane_helpers import client_frame, lane_node, raw
from tests.harness import eventually


def attached(number, *placeholders):
    """The header of a binary event "all" of this number."""
    data = ",".join(f'{{"_placeholder":true,"num":{each}}}' for each in placeholders)
    return (TEXT, f'45{len(placeholders)}-["all",{number},{data}]'.encode())


async def test_one_task(lane):
    """Room emits, direct emits, binary, emits with callbacks and acks of one task arrive in its order."""
    async with lane_node(lane) as node:

        @node.sio.on("go")
        async def go(sid):
            await node.sio.enter_room(sid, "room")
            for number in range(40):
                await node.sio.emit("all", number)
                await node.sio.emit("all", (number, b"1" * 70_000, b"2"), room="room")
                await node.sio.emit("mine", number, to=sid)
                await node.sio.emit("all", (number, b"3"))
                await node.sio.emit("asked", number, to=sid, callback=print)
                if number % 10 == 0:
                    await asyncio.sleep(0)
            return b"", "done"

        async with raw(node) as one, raw(node) as other:
            await one.say('427["go"]')
            for number in range(40):
                due = [
                    (TEXT, b'42["all",%d]' % number),
                    *(attached(number, 0, 1), (BINARY, b"1" * 70_000), (BINARY, b"2")),
                    (TEXT, b'42["mine",%d]' % number),
                    *(attached(number, 0), (BINARY, b"3")),
                    (TEXT, b'42%d["asked",%d]' % (number + 1, number)),
                ]
                assert [await one.frame() for _ in due] == due
                due = [due[0], due[5], due[6]]
                assert [await other.frame() for _ in due] == due
            assert await one.frame() == (TEXT, b'461-7[{"_placeholder":true,"num":0},"done"]')
            assert await one.frame() == (BINARY, b"")


async def test_attachments_of_many_tasks(lane):
    """Attachments follow their event at once, however many tasks emit to the client at the same time."""
    async with lane_node(lane) as node, raw(node) as one:

        async def emit(task):
            for number in range(20):
                data = (task, number, b"%d/%d" % (task, number), b"%d" % number)
                await node.sio.emit("all", data, to=one.sid)
                await asyncio.sleep(0)

        emitting = [asyncio.create_task(emit(task)) for task in range(10)]
        numbers = [0] * 10
        for _ in range(200):
            task = int((await one.text()).split(",")[1])
            number, numbers[task] = numbers[task], numbers[task] + 1
            assert await one.frame() == (BINARY, b"%d/%d" % (task, number))
            assert await one.frame() == (BINARY, b"%d" % number)
        await asyncio.gather(*emitting)


async def test_inbound_order(lane):
    """Handlers start in the order in which the client sent their events, binary ones among them."""
    async with lane_node(lane) as node, raw(node) as one:
        wires = []
        for number in range(100):
            if number % 7:
                wires.append((TEXT, b'42["n",%d]' % number))
            else:
                wires.append((TEXT, b'451-["n",%d,{"_placeholder":true,"num":0}]' % number))
                wires.append((BINARY, b"x"))
        await one.send(*(client_frame(*wire) for wire in wires))
        await one.say('421["end"]')
        assert await one.text() == "431[]"
        assert [entry[2] for entry in node.log[1:-1]] == list(range(100))


class Line:
    """Something that is flushed, and says so."""

    def __init__(self, flushed, number):
        self.flushed = flushed
        self.number = number

    def flush(self):
        self.flushed.append(self.number)


@pytest.mark.parametrize(("count", "each"), [(400, SLICE), (10_000, 401)])
async def test_flush_of_many_gives_turns(count, each):
    """A callback that is due while many clients are flushed runs soon, but no more than 25 times."""
    loop, flushed, seen = asyncio.get_running_loop(), [], []
    one = Flusher(loop)
    lines = [Line(flushed, number) for number in range(count)]
    for line in lines:
        one.add(line)

    def look():
        if len(flushed) < count:
            seen.append(len(flushed))
            loop.call_soon(look)

    loop.call_soon(look)
    one.add(Line(flushed, count))
    await eventually(lambda: len(flushed) == count + 1)
    assert flushed == list(range(count + 1))
    assert seen == list(range(each, count, each))


async def test_added_during_a_flush():
    """What becomes due while a flush goes on is flushed after it, once."""
    flushed = []
    one = Flusher(asyncio.get_running_loop())

    class Again(Line):
        def flush(self):
            super().flush()
            if self.number == 0:
                one.add(Line(flushed, "late"))

    for number in range(SLICE + 1):
        one.add(Again(flushed, number))
    await eventually(lambda: "late" in flushed)
    one.add(Line(flushed, "last"))
    await eventually(lambda: "last" in flushed)
    assert flushed == [*range(SLICE + 1), "late", "last"]


class Calls:
    """A loop that keeps what it is asked to call, and a clock that stands still until it is set."""

    def __init__(self):
        self.now = 1000.0
        self.due = []

    def call_soon(self, call, *arguments):
        self.call_later(0, call, *arguments)

    def call_later(self, pause, call, *arguments):
        self.due.append((pause, call, arguments))

    def run(self):
        """Make the next call, and return for how long it had to wait."""
        pause, call, arguments = self.due.pop(0)
        call(*arguments)
        return pause


@pytest.mark.parametrize(("count", "pause"), [(4, 0.00006), (1000, 0.008)])
def test_pause_after_a_flush_that_was_held_up(monkeypatch, count, pause):
    """After 8 ms in a flush a few clients wait only for as long as writing to them takes, many for 8 ms."""
    calls = Calls()
    monkeypatch.setattr(flusher, "perf_counter", lambda: calls.now)
    monkeypatch.setattr(flusher, "SLICE", 1000)
    one = Flusher(calls)

    class HeldUp(Line):
        def flush(self):
            calls.now += 0.008 / count

    for number in range(count):
        one.add(HeldUp([], number))
    assert calls.run() == 0
    one.add(HeldUp([], "next"))
    assert calls.run() == pytest.approx(pause, rel=0.01)


async def test_an_error_in_a_flush():
    """A client that cannot be written to stops neither the rest of the flush nor later ones."""
    flushed = []
    one = Flusher(asyncio.get_running_loop())

    class Broken(Line):
        def flush(self):
            raise ValueError(self.number)

    for line in (Line(flushed, 0), Broken(flushed, 1), Line(flushed, 2)):
        one.add(line)
    await eventually(lambda: flushed == [0, 2])
    one.add(Line(flushed, 3))
    await eventually(lambda: flushed == [0, 2, 3])


async def test_handler_runs_during_a_flush(monkeypatch):
    """An event handler that is due while many clients are flushed runs before the last one is."""
    monkeypatch.setattr(flusher, "SLICE", 5)
    async with lane_node() as node, contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(raw(node)) for _ in range(40)]
        left = []

        async def handler(sid):
            left.append(sum(bool(lane._pending) for lane in node.hooks.lanes.values()))

        node.sio.on("look", handler)
        await node.sio.emit("n")
        await asyncio.sleep(0)  # the flush begins with its first slice
        await node.sio._trigger_event("look", "/", clients[0].sid)
        await asyncio.sleep(0)
        await node.sio._trigger_event("look", "/", clients[0].sid)
        assert 40 > left[0] > left[1] > 0
        for one in clients:
            assert await one.text() == '42["n"]'


async def test_one_turn_is_one_write():
    """What is emitted to a client in one turn of the loop leaves in one write."""
    async with lane_node() as node, raw(node) as one:
        for number in range(100):
            await node.sio.emit("n", (number, b"x"))
        assert await one.text() == '451-["n",0,{"_placeholder":true,"num":0}]'
        # One read got all the rest: they were in the socket's buffer together.
        assert one.buffer.count(b'"n"') == 99
