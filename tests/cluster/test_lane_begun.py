"""What becomes of a handler after its first step is the same whoever has taken that step."""

from __future__ import annotations

import asyncio
import json
import traceback
from contextvars import ContextVar

import pytest

from socketio_cluster.cluster.lane.frames import BINARY, TEXT
from socketio_cluster.manager.errors import HandlerExit
from tests.cluster.lane_helpers import lane_node, raw
from tests.harness import eventually

NAME = ContextVar("name", default="outer")
RESULTS = [
    None,
    "",
    "text",
    'a "quoted"\n\\ text\x00',
    "\x7f",
    "ünï€🎉",
    "x" * 121,
    "x" * 122,
    "x" * 65_530,
    "x" * 65_531,
    True,
    7,
    1.5,
    {"a": [1]},
    [1, 2],
    (1, 2),
    (),
    b"bytes",
    (b"bytes", "ünï"),
]
"""What handlers return."""


def ack(number, result):
    """The frames of an ack."""
    values = [] if result is None else list(result) if isinstance(result, tuple) else [result]
    parts = [value for value in values if isinstance(value, bytes)]
    values = [{"_placeholder": True, "num": 0} if value in parts else value for value in values]
    head = f"46{len(parts)}-{number}" if parts else f"43{number}"
    text = head + json.dumps(values, separators=(",", ":"))
    return [(TEXT, text.encode()), *((BINARY, part) for part in parts)]


@pytest.mark.parametrize("turns", [None, 0, 1, 2])
async def test_results(lane, turns):
    """Each result is sent as it should be, by a function or a coroutine that waits so many times."""
    async with lane_node(lane) as node, raw(node) as one:
        if turns is None:
            node.sio.on("ask", lambda sid, number: RESULTS[number])
        else:

            @node.sio.on("ask")
            async def ask(sid, number):
                for _ in range(turns):
                    await asyncio.sleep(0)
                return RESULTS[number]

        await one.say('42["ask",0]')
        for number, result in enumerate(RESULTS):
            await one.say(f'42{number}["ask",{number}]')
            due = ack(number, result)
            assert [await one.frame() for _ in due] == due


async def test_cancelled(lane):
    """A handler that is cancelled is answered without a value, whenever that happens."""
    async with lane_node(lane) as node, raw(node) as one:
        waiting = []

        @node.sio.on("raise")
        async def cancelled(sid):
            raise asyncio.CancelledError

        @node.sio.on("self")
        async def cancels_itself(sid):
            asyncio.current_task().cancel()
            await asyncio.Event().wait()

        @node.sio.on("other")
        async def is_cancelled(sid, turns):
            for _ in range(turns):
                await asyncio.sleep(0)
            waiting.append(asyncio.current_task())
            await asyncio.Event().wait()

        @node.sio.on("refuse")
        async def refuses(sid):
            waiting.append(asyncio.current_task())
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                return waiting[-1].uncancel()

        for number in range(1, 7, 2):
            await one.say(f'42{number}["raise"]', f'42{number + 1}["self"]')
            assert sorted([await one.text(), await one.text()]) == [f"43{number}[]", f"43{number + 1}[]"]
        for number, turns in enumerate([0, 0, 1, 2]):
            await one.say(f'42{number}["other",{turns}]')
            await eventually(lambda: waiting)
            waiting.pop().cancel()
            assert await one.text() == f"43{number}[]"
        for number in range(3):
            await one.say(f'42{number}["refuse"]')
            await eventually(lambda: waiting)
            waiting[-1].cancel()
            assert await one.text() == f"43{number}[0]"
            waiting.clear()
        assert node.manager.stats.handlers == 0


@pytest.mark.parametrize("turns", range(3))
async def test_errors(lane, turns, no_collector):
    """Errors are told at once, of functions and of coroutines that wait so many times, and not answered."""
    told, kinds = [], [ValueError, SystemExit, KeyboardInterrupt]
    async with lane_node(lane) as node, raw(node) as one:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context))

        @node.sio.on("fail")
        async def fail(sid, number):
            for _ in range(turns):
                await asyncio.sleep(0)
            raise kinds[number]("of the handler")

        @node.sio.on("at once")
        def fail_at_once(sid, number):
            raise kinds[number]("of the handler")

        for name in ("fail", "at once"):
            for number in (0, *range(len(kinds))):
                await one.say(f'421["{name}",{number}]')
                await eventually(lambda: told)
                error = told.pop()["exception"]
                assert type(error) is (HandlerExit if number else ValueError)
                cause = error.__cause__ if number else error
                assert str(cause) == "of the handler"
                assert traceback.extract_tb(cause.__traceback__)[-1].name in ("fail", "fail_at_once")
                del error, cause
        assert not told
        assert node.manager.stats.handlers == 0


async def test_errors_of_what_it_waits_for(lane):
    """The error of what a handler waits for in its first step reaches it, and so does a timeout."""
    async with lane_node(lane) as node, raw(node) as one:

        @node.sio.on("wait")
        async def wait(sid):
            failed = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_soon(failed.set_exception, ValueError("of the future"))
            seen = []
            try:
                await failed
            except ValueError as error:
                seen.append(str(error))
            try:
                async with asyncio.timeout(0):
                    await asyncio.Event().wait()
            except TimeoutError:
                seen.append(asyncio.current_task().cancelling())
            return seen

        @node.sio.on("late")
        async def late(sid):
            try:
                async with asyncio.timeout(0):
                    await asyncio.Event().wait()
            except TimeoutError:
                return "late"

        for number in range(3):
            await one.say(f'42{number}["wait"]')
            assert await one.text() == f'43{number}["of the future",0]'.replace("[", "[[") + "]"
            await one.say(f'42{number}["late"]')
            assert await one.text() == f'43{number}["late"]'


async def test_a_task_of_its_own(lane):
    """A handler is in the same task in all of its steps, and two handlers that keep theirs have two."""
    async with lane_node(lane) as node, raw(node) as one:
        kept = []

        @node.sio.on("keep")
        async def keep(sid, turns):
            task = asyncio.current_task()
            kept.append(task)
            for _ in range(turns):
                await asyncio.sleep(0)
            return asyncio.current_task() is task and task in asyncio.all_tasks()

        for number, turns in enumerate((0, 0, 0, 1, 1, 2, 0)):
            await one.say(f'42{number}["keep",{turns}]')
            assert await one.text() == f"43{number}[true]"
        assert len(set(kept)) == 7


async def test_context(lane):
    """What a handler sets is there in all of its steps, also when it is answered late, and for no other."""
    async with lane_node(lane) as node, raw(node) as one:

        @node.sio.on("set")
        async def set_name(sid, name):
            seen = [NAME.get()]
            NAME.set(name)
            await asyncio.sleep(0)
            return [*seen, NAME.get()]

        node.sio.on("look", lambda sid: NAME.get())
        for number in range(3):
            await one.say(f'42{number}["set","{number}"]', f'421{number}["look"]')
            due = [f'43{number}[["outer","{number}"]]', f'431{number}["outer"]']
            assert sorted([await one.text(), await one.text()]) == sorted(due)


async def test_seconds(lane):
    """The time of a handler is that of all of its steps, and each handler counts once."""
    async with lane_node(lane) as node, raw(node) as one:

        @node.sio.on("wait")
        async def wait(sid, seconds):
            if seconds:
                await asyncio.sleep(seconds)

        for number in range(3):
            await one.say(f'42{number}["wait",{number * 0.02}]')
            assert await one.text() == f"43{number}[]"
        times = node.manager.stats.handler_seconds["wait"]
        assert sum(times.counts) == 3
        assert 0.06 <= times.total < 1
        assert node.manager.stats.events == 3


async def test_answer_to_a_client_that_does_not_read(way):
    """An ack waits behind what waits already, and while the transport takes no more."""
    async with lane_node() as node, raw(node) as one:
        node.sio.on("ask", lambda sid: "text")
        await one.say('420["ask"]')
        assert await one.text() == '430["text"]'
        lane = node.hooks.lanes[one.eio_sid]
        lane.pause_writing()
        await one.say('421["ask"]')
        await eventually(lambda: node.manager.stats.events == 2)
        assert lane._pending
        lane.resume_writing()
        assert await one.text() == '431["text"]'
        assert (type(lane).__name__ == "CompiledLane") == (way == "compiled")
