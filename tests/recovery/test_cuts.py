"""Connections that end in every way and at every time: their clients are recovered."""

from __future__ import annotations

import asyncio

import pytest

from tests.harness import eventually, three_nodes
from tests.recovery.clients import came_back, fence, left, take
from tests.recovery.door import Door

AT_ONCE = {"reconnectionDelay": 10, "reconnectionDelayMax": 10, "randomizationFactor": 0}


@pytest.mark.parametrize("transports", [["websocket"], ["polling"], ["polling", "websocket"]])
async def test_ten_milliseconds_after_the_cut(nodes, door, connect, transports):
    """A client that is back after 10 ms, mostly before its old node has noticed, gets each event once."""
    client = await connect(transports=transports, **AT_ONCE)
    sid = client.sid
    for cut in range(12):
        door.cut(nodes[(cut + 1) % 3])
        await nodes[cut % 3].sio.emit("n", cut, to=sid)
        assert await came_back(client) is True
        assert client.sid == sid
        await take(client, "n", cut)
    await fence(nodes[0], client)


async def test_a_frozen_proxy(bus_url, prefix, driver):
    """A connection that neither brings data nor ends is given up by its client, which has missed nothing."""
    pings = {"ping_interval": 0.5, "ping_timeout": 0.5}
    async with three_nodes(bus_url, prefix, recovery_seconds=30, server_options=pings) as (a, b, c):
        async with Door(a) as door, driver.client(door, reconnection=True) as client:
            assert await client.connects.get() is False
            sid = client.sid
            await c.sio.emit("n", 0, to=sid)
            await take(client, "n", 0)
            for number, node in enumerate((b, a, b), 1):
                door.freeze(node)
                await c.sio.emit("n", number, to=sid)
                assert await came_back(client) is True
                assert client.sid == sid
                await take(client, "n", number)
            # What the nodes clear away when the dead connections have timed out is not the client's.
            await eventually(lambda: sum(len(node.sio.eio.sockets) for node in (a, b, c)) == 1)
            await fence(c, client)


async def test_a_half_open_connection_again_and_again(nodes, door, connect):
    """Ten times the old node does not notice that its client has gone: in the end one node has it."""
    client = await connect(**AT_ONCE)
    sid = client.sid
    await nodes[0].sio.enter_room(sid, "red")
    for cut in range(10):
        door.forsake(nodes[(cut + 1) % 3])
        await nodes[cut % 3].sio.emit("n", cut, room="red")
        assert await came_back(client) is True
        await take(client, "n", cut)
    await fence(nodes[0], client)
    await eventually(lambda: [n.manager.members.find(sid, "/") is not None for n in nodes].count(True) == 1)
    assert client.sid == sid


@pytest.mark.parametrize("recovery_seconds", [12])
async def test_late_but_in_time(nodes, door, connect, recovery_seconds):
    """A client that comes back after nine tenths of the time that it has is recovered."""
    a, b, _ = nodes
    client = await connect(reconnection=False)
    sid = client.sid
    door.cut(b)
    await left(a, sid)
    await b.sio.emit("n", 1, to=sid)
    await asyncio.sleep(0.9 * recovery_seconds)
    await b.sio.emit("n", 2, to=sid)
    client.reconnect()
    assert await came_back(client) is True
    assert client.sid == sid
    await take(client, "n", 1)
    await take(client, "n", 2)
    await fence(b, client)


async def test_cut_off_while_it_comes_back(nodes, door, connect, monkeypatch, caplog):
    """A client that is cut off while its session is claimed is recovered later, and no error is logged."""
    a, b, c = nodes
    client = await connect(transports=["polling"], **AT_ONCE)
    sid = client.sid
    await a.sio.save_session(sid, {"name": "Ada"})
    claim = b.manager.recovery.keeper.claim

    async def claim_and_cut(asked):
        claimed = await claim(asked)
        monkeypatch.setattr(b.manager.recovery.keeper, "claim", claim)
        door.lead(c)
        for eio_sid in list(b.sio.eio.sockets):
            await b.manager.send_back(eio_sid)
        await eventually(lambda: not b.sio.environ)
        return claimed

    monkeypatch.setattr(b.manager.recovery.keeper, "claim", claim_and_cut)
    door.cut(b)
    await b.sio.emit("n", 1, to=sid)
    assert await came_back(client) is True
    assert client.sid == sid
    assert await c.sio.get_session(sid) == {"name": "Ada"}
    await take(client, "n", 1)
    await left(b, sid)
    await fence(a, client)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
