"""What handlers do in their first step, for which a lane makes no task, is as on the ordinary path."""

from __future__ import annotations

import asyncio
import sys

import pytest

from tests.cluster.lane_helpers import lane_node, raw
from tests.harness import eventually


async def test_disconnects_its_own_client(lane):
    """A handler that disconnects its own client runs to its end, and the disconnect handler runs once."""
    async with lane_node(lane) as node, raw(node) as one:
        ended = []

        @node.sio.on("leave")
        async def leave(sid):
            await node.sio.disconnect(sid)
            ended.append(sid)

        await one.say('421["leave"]')
        assert await one.text() == "41"
        await eventually(lambda: ended == [one.sid])
        assert node.reasons == ["server disconnect"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="this asyncio has no tasks that begin at once")
async def test_eager_tasks(lane):
    """With eager tasks, on the short way in, no handler that has ended counts, and clients leave as ever."""
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    async with lane_node(lane, short=bool(lane)) as node, raw(node) as one:
        node.sio.on("now", lambda sid, number: number)

        @node.sio.on("later")
        async def later(sid, number):
            await asyncio.sleep(0)
            return number

        for number, event in enumerate(["now", "later"] * 5):
            await one.say(f'42{number}["{event}",{number}]')
            assert await one.text() == f"43{number}[{number}]"
        await eventually(lambda: node.manager.stats.handlers == 0)
        await one.say("41")
        await eventually(lambda: node.reasons == ["client disconnect"])


async def test_emits_before_it_answers(lane):
    """What a handler emits before it answers comes before the ack, and it may ask its own client."""
    async with lane_node(lane) as node, raw(node) as one:

        @node.sio.on("ask")
        async def ask(sid, number):
            await node.sio.emit("first", number, to=sid)
            if number == 2:
                await node.sio.call("second", to=sid)
            return number

        await one.say('421["ask",1]')
        assert [await one.text() for _ in range(2)] == ['42["first",1]', "431[1]"]
        await one.say('422["ask",2]')
        assert [await one.text() for _ in range(2)] == ['42["first",2]', '421["second"]']
        await one.say('423["ask",3]')
        assert [await one.text() for _ in range(2)] == ['42["first",3]', "433[3]"]
        await one.say("431[]")
        assert await one.text() == "432[2]"


async def test_answers_in_order(lane):
    """Handlers that wait and others that do not are answered each when it ends, each with its own id."""
    async with lane_node(lane) as node, raw(node) as one:
        node.sio.on("now", lambda sid, number: number)

        @node.sio.on("later")
        async def later(sid, number):
            for _ in range(3):
                await asyncio.sleep(0)
            return number

        for number in range(0, 40, 2):
            await one.say(f'42{number}["later",{number}]', f'42{number + 1}["now",{number + 1}]')
        found = sorted([await one.text() for _ in range(40)])
        assert found == sorted(f"43{number}[{number}]" for number in range(40))


async def test_count_of_handlers(way):
    """Handlers that wait are counted until they end; those that do not wait leave no trace."""
    async with lane_node() as node, raw(node) as one:
        node.sio.on("now", lambda sid: None)
        go = asyncio.Event()

        @node.sio.on("wait")
        async def wait(sid):
            await go.wait()

        @node.sio.on("fail")
        async def fail(sid):
            await go.wait()
            raise asyncio.CancelledError  # as python-socketio, this is answered without a value

        await one.say('42["wait"]', '42["now"]', '42["wait"]', '421["fail"]', '420["now"]')
        assert await one.text() == "430[]"
        assert node.manager.stats.handlers == 3
        go.set()
        assert await one.text() == "431[]"
        assert node.manager.stats.handlers == 0
        assert not node.manager.handlers.running
