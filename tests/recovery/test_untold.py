"""What is done to a client while the bus does not answer is kept, or the client begins anew and is told."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from socketio_cluster.manager.errors import BrokerError, ConnectionGone
from socketio_cluster.manager.recovery import endings
from tests.harness import SECONDS, eventually, three_nodes
from tests.recovery.clients import SOON, came_back, left, renew
from tests.recovery.door import Door
from tests.recovery.outages import LONG, PATIENT, start, stop

one_bus = pytest.mark.parametrize("bus_url", ["local"], indirect=True)


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """A node tells the bus soon of what it did not take."""
    monkeypatch.setattr(endings, "AGAIN_SECONDS", 0.01)


@pytest.fixture
def untold(monkeypatch):
    """Within it the bus does not carry out what a node asks of it about sessions."""

    async def fails(operation):
        raise BrokerError("the test says so")

    @contextlib.contextmanager
    def untold(node, name="_ask", fails=fails):
        with monkeypatch.context() as patch:
            patch.setattr(node.manager.recovery.keeper, name, fails)
            yield

    return untold


async def enter(node, sid):
    await node.sio.enter_room(sid, "red")
    assert "red" in node.sio.rooms(sid)


async def leave(node, sid):
    await node.sio.leave_room(sid, "blue")
    assert "blue" not in node.sio.rooms(sid)


async def save(node, sid):
    await node.sio.save_session(sid, {"name": "Ada"})


async def disconnect(node, sid):
    await node.sio.disconnect(sid)


@one_bus
@pytest.mark.parametrize("do", [enter, leave, save])
async def test_cut_off_before_it_is_told(nodes, door, connect, untold, do):
    """A client that is cut off before the bus has heard of what was done to it begins anew."""
    a, b, _ = nodes
    client = await connect()
    sid = client.sid
    await a.sio.enter_room(sid, "blue")
    with untold(a):
        await do(a, sid)
    door.cut()
    await left(a, sid)
    door.lead(b)
    assert await came_back(client) is False


@one_bus
@pytest.mark.parametrize("do", [enter, disconnect])
async def test_gone_before_it_is_told(nodes, door, connect, untold, do):
    """The bus hears later that a client which has gone meanwhile does not come back."""
    a, b, _ = nodes
    client = await connect()
    sid = client.sid
    keeper = b.manager.recovery.keeper
    with untold(a):
        await do(a, sid)
        door.cut()
        await left(a, sid)
        assert await keeper.where(sid, "/") == a.manager.node_id
    telling = a.manager.recovery.sessions._endings._telling
    await asyncio.wait_for(telling, SECONDS)
    assert await keeper.where(sid, "/") is None


@one_bus
@pytest.mark.parametrize("back_to", [0, 1])
@pytest.mark.parametrize("gone", [False, True])
async def test_back_before_it_is_told(nodes, door, connect, untold, back_to, gone):
    """A client that comes back to any node before the bus has heard of what was done to it begins anew."""
    a = nodes[0]
    client = await connect()
    sid = client.sid
    with untold(a, "release"):
        with untold(a, "change"):
            await enter(a, sid)
        if gone:
            door.cut()
            await left(a, sid)
            door.lead(nodes[back_to])
        else:
            door.forsake(nodes[back_to])
        assert await came_back(client) is False


@one_bus
async def test_cut_off_again(nodes, door, connect, untold, monkeypatch):
    """It does so also if its next connection ends just when the node there has heard of it."""
    a, b, _ = nodes
    client = await connect()
    arrivals, take = b.manager.recovery.arrivals, b.manager.remote.take

    async def taken(*place):
        going_on = await take(*place)
        monkeypatch.setattr(b.manager.remote, "take", take)
        patch.setattr(arrivals, "_check", gone)
        return going_on

    def gone(eio_sid):
        patch.undo()
        door.cut()
        door.lead(b)
        raise ConnectionGone("the test says so")

    with untold(a, "release"), monkeypatch.context() as patch:
        with untold(a, "change"):
            await enter(a, client.sid)
        monkeypatch.setattr(b.manager.remote, "take", taken)
        door.cut()
        await left(a, client.sid)
        door.lead(b)
        assert await came_back(client) is False


@one_bus
async def test_not_written_at_first(nodes, door, connect, untold):
    """A session that the bus did not take when it was written anew is written once more."""
    a, b, _ = nodes
    client = await connect()
    sid = client.sid
    with untold(a, "change"):
        await enter(a, sid)
    with untold(a, "open"), pytest.raises(BrokerError):
        await renew(a)
    await renew(a)
    await back_in_red(a, b, door, client)


@one_bus
async def test_cancelled(nodes, door, connect, untold):
    """A join that is cancelled while the bus does not answer is told later, if the client is in the room."""
    a, b, _ = nodes
    client = await connect()

    async def hangs(operation):
        await asyncio.Event().wait()

    with untold(a, "change", hangs), pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await a.sio.enter_room(client.sid, "red")
    await renew(a)
    await back_in_red(a, b, door, client)


async def back_in_red(a, b, door, client):
    """Check that a client that is cut off from a node is in its room when it comes to another one."""
    door.cut()
    await left(a, client.sid)
    door.lead(b)
    assert await came_back(client) is True
    assert set(b.sio.rooms(client.sid)) == {client.sid, "red"}


async def test_outage(redis_that_remembers, prefix, driver):
    """A client that enters a room and goes while the bus is away begins anew when all are back."""
    options = {"count": 2, "recovery_seconds": PATIENT, "buffer_seconds": PATIENT}
    async with (
        three_nodes(redis_that_remembers.url, prefix, **options) as (a, b),
        Door(a) as door,
        driver.client(door, reconnection=True, **SOON) as client,
    ):
        assert await client.connects.get() is False
        sid = client.sid
        await stop([redis_that_remembers], a, b)
        await enter(a, sid)
        door.cut()
        await left(a, sid)
        await start([redis_that_remembers])
        await eventually(lambda: a.manager.ready and b.manager.ready, LONG)
        door.lead(b)
        assert await came_back(client) is False
