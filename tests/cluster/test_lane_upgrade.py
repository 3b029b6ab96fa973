"""A client changes from polling to the lane without losing, doubling or reordering anything."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from socketio_cluster.cluster.lane import install as lane_install
from socketio_cluster.cluster.lane.writer import LaneState
from socketio_cluster.cluster.strict.polls import NOOP_SECONDS
from tests.bare_sessions import raw_polling
from tests.cluster.lane_helpers import RawSocket, lane_node, raw
from tests.harness import client, eventually, fence
from tests.jsclient import install, js_driver


@pytest.fixture
async def node():
    async with lane_node() as one:
        yield one


@pytest.fixture
async def polling(node):
    """A bare polling session that is connected to "/"."""
    async with raw_polling(node) as session:
        assert await session.post("40") == 200
        (connected,) = await session.get()
        session.sid = connected.split('"')[3]
        session.eio_sid = session.url.rpartition("=")[2]
        yield session


@contextlib.asynccontextmanager
async def websocket(node, session):
    """A bare WebSocket for the session of a polling client."""
    one = RawSocket(node)
    try:
        one.status = await one.open(f"&sid={session.eio_sid}")
        yield one
    finally:
        one.drop()


async def test_what_waited_for_a_poll_comes_first(node, polling):
    """Events from before, during and after an upgrade arrive by the websocket in order; no NOOP does."""
    async with websocket(node, polling) as one:
        await node.sio.emit("n", 0, to=polling.sid)
        await node.sio.emit("n", b"0", to=polling.sid)
        await one.say("2probe")
        assert await one.text() == "3probe"
        await node.sio.emit("n", 1, to=polling.sid)
        assert await polling.get() == ["6"]
        await one.say("5", '421["up"]')
        await eventually(lambda: node.sio.transport(polling.sid) == "websocket")
        await node.sio.emit("n", 2, to=polling.sid)
        assert await one.text() == '42["n",0]'
        assert await one.text() == '451-["n",{"_placeholder":true,"num":0}]'
        assert (await one.frame())[1] == b"0"
        assert {await one.text() for _ in range(3)} == {'42["n",1]', '42["n",2]', "431[]"}
        assert await polling.post("40/chat,") == 400
    await eventually(lambda: node.forgotten)


async def test_state(node, polling, caplog):
    """A lane that upgrades goes through all its states, and logs each at debug level."""
    caplog.set_level("DEBUG", "socketio_cluster.cluster")
    async with websocket(node, polling) as one:
        await one.say("2probe")
        await one.text()
        await one.say("5")
        await eventually(lambda: polling.eio_sid in node.hooks.lanes)
        lane = node.hooks.lanes[polling.eio_sid]
        assert lane.state is LaneState.OPEN
        lane.shutdown()
        lane.write_frame(b"never sent")
        assert (lane.state, lane.queued) == (LaneState.CLOSING, 0)
    await eventually(lambda: lane.state is LaneState.CLOSED)
    states = [record.args[1] for record in caplog.records if "the lane of client" in record.msg]
    assert states == ["PROBED", "OPEN", "CLOSING", "CLOSED"]


async def test_waiting_poll_is_ended(node, polling):
    """A poll that waits when the upgrade begins is answered with a NOOP, and so are those after it."""
    poll = asyncio.create_task(polling.get())
    await eventually(lambda: node.sockets[polling.eio_sid].queue._getters)
    async with websocket(node, polling) as one:
        await one.say("2probe")
        assert await poll == ["6"]
        assert await polling.get() == ["6"]


async def test_polls_while_an_upgrade_hangs(node, polling):
    """Who polls on and on while its upgrade hangs gets one NOOP at once, and then one every 50 ms."""
    now = asyncio.get_running_loop().time
    async with websocket(node, polling) as one:
        await one.say("2probe")
        assert await one.text() == "3probe"
        assert await polling.get() == ["6"]
        began = now()
        for _ in range(6):
            assert await polling.get() == ["6"]
        assert now() - began >= 6 * NOOP_SECONDS


@pytest.mark.parametrize(
    "say", [[], ["2probe"], ["2probe", "40"], ["40"], ["5"], ["2probe", "2probe"]], ids=str
)
async def test_failed_upgrade(node, polling, say):
    """A websocket that drops or says the wrong thing during an upgrade leaves polling as it was."""
    async with websocket(node, polling) as one:
        await one.say(*say)
        if say[:1] == ["2probe"]:
            assert await one.text() == "3probe"
        if say not in ([], ["2probe"]):
            assert await one.closed() == 1002
    await eventually(lambda: not node.sockets[polling.eio_sid].upgrading)
    await node.sio.emit("still", to=polling.sid)
    packets = []
    while '42["still"]' not in packets:
        packets += await polling.get()
    assert set(packets) <= {'42["still"]', "6"}
    assert await polling.post('427["heard"]') == 200
    await eventually(lambda: ("heard", polling.sid) in node.log)
    assert not node.reasons


async def test_slow_upgrade(node, polling, monkeypatch):
    """A websocket that does not finish its upgrade is closed after a while, and polling goes on."""
    monkeypatch.setattr(lane_install, "UPGRADE_SECONDS", 0.1)
    async with websocket(node, polling) as one:
        await one.say("2probe")
        assert await one.text() == "3probe"
        assert await one.closed() == 1002
    await eventually(lambda: not node.sockets[polling.eio_sid].upgrading)
    assert not node.reasons


async def test_second_websocket(node, polling):
    """A websocket for a session that has been upgraded is closed, and the session goes on."""
    async with websocket(node, polling) as one:
        await one.say("2probe", "5")
        assert await one.text() == "3probe"
        await eventually(lambda: node.sio.transport(polling.sid) == "websocket")
        async with websocket(node, polling) as second:
            assert await second.closed() == 1000
        await one.say('427["mine"]')
        assert await one.text() == "437[]"
    async with raw(node) as direct:
        async with websocket(node, direct) as second:
            assert await second.closed() == 1000
        await direct.say('427["mine"]')
        assert await direct.text() == "437[]"


async def test_two_upgrades_at_once(node, polling):
    """A second websocket for a session that is being upgraded is closed, and the first gets it."""
    async with websocket(node, polling) as one, websocket(node, polling) as two:
        assert await two.closed() == 1000
        await one.say("2probe")
        assert await one.text() == "3probe"
        async with websocket(node, polling) as three:
            assert await three.closed() == 1000
        await one.say("5", '427["first"]')
        assert await one.text() == "437[]"
    await eventually(lambda: node.forgotten)


async def test_session_ends_during_upgrade(node, polling):
    """An upgrade whose session has ended by polling gets nothing, and nothing is left of either."""
    async with websocket(node, polling) as one:
        await one.say("2probe")
        assert await one.text() == "3probe"
        assert await polling.post("1") == 200
        await one.say("5")
        assert await one.closed() == 1002
    assert node.reasons == ["client disconnect"]
    assert not node.hooks.lanes


@pytest.mark.parametrize("kind", ["python", "js"])
async def test_upgrade_under_fire(node, kind):
    """The official clients miss nothing and get nothing twice while they upgrade, in both directions."""
    async with contextlib.AsyncExitStack() as stack:
        make = client
        if kind == "js":
            install()
            make = (await stack.enter_async_context(js_driver())).client
        stop, sent = asyncio.Event(), 0

        @node.sio.on("connect")
        async def begin(sid, environ):
            await node.sio.enter_room(sid, "targets")

        async def fire():
            nonlocal sent
            while not stop.is_set():
                await node.sio.emit("n", (sent, b"%d" % sent if sent % 3 == 0 else None), room="targets")
                sent += 1
                await asyncio.sleep(0.0005)

        firing = asyncio.create_task(fire())
        one = await stack.enter_async_context(make(node, transports=["polling", "websocket"]))
        for number in range(100):
            await one.emit("back", number)
            await asyncio.sleep(0)
        await eventually(lambda: node.hooks.lanes)
        last = sent + 20
        await eventually(lambda: sent > last)
        stop.set()
        await firing
        (first, _) = await one.next("n")
        for number in range(first + 1, sent):
            assert await one.next("n") == [number, b"%d" % number if number % 3 == 0 else None]
        await fence(node, one)
        await eventually(lambda: [entry[2] for entry in node.log if entry[0] == "back"] == list(range(100)))
