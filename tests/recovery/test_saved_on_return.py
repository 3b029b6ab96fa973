"""What is saved for a client, and whose it is, while the client is just coming back."""

from __future__ import annotations

import pytest

from tests.recovery.clients import came_back, left

pytestmark = pytest.mark.parametrize("bus_url", ["local"], indirect=True)


async def test_saved_as_it_comes_back(nodes, door, connect, monkeypatch):
    """What its new node saves before the client is in all its rooms is not replaced by what was before."""
    a, b, _ = nodes
    client = await connect()
    sid = client.sid
    await a.sio.save_session(sid, {"n": 1})
    door.cut()
    await left(a, sid)
    subscribe, saved = b.manager.node.subscribe, []

    async def saving(channel):
        await subscribe(channel)
        if not saved and b.manager.members.find(sid, "/") is not None:
            saved.append(sid)
            await b.sio.save_session(sid, {"n": 2})

    monkeypatch.setattr(b.manager.node, "subscribe", saving)
    door.lead(b)
    assert await came_back(client) is True
    assert saved
    assert await b.sio.get_session(sid) == {"n": 2}


async def test_taken_as_it_comes_back(nodes, door, connect, monkeypatch):
    """A client that gets a new session, as its own was taken under way, does not have the data of that."""
    a, b, _ = nodes
    client = await connect()
    sid = client.sid
    await a.sio.save_session(sid, {"n": 1})
    door.cut()
    await left(a, sid)

    async def taken(change):
        monkeypatch.undo()
        return 0

    monkeypatch.setattr(b.manager.recovery.keeper, "change", taken)
    door.lead(b)
    assert await came_back(client) is False
    assert client.sid != sid
    assert await b.sio.get_session(client.sid) == {}


async def test_saved_by_the_node_that_had_it(nodes, door, connect, monkeypatch):
    """A node whose client has just come to another one cannot save for it, and says so."""
    a, b, _ = nodes
    client = await connect()
    sid = client.sid
    take, outcomes = b.manager.remote.take, []

    async def taking(*args):
        try:
            await a.sio.save_session(sid, {"n": 2})
        except KeyError as error:
            outcomes.append(error)
        return await take(*args)

    monkeypatch.setattr(b.manager.remote, "take", taking)
    door.forsake(b)
    assert await came_back(client) is True
    assert len(outcomes) == 1
    assert await b.sio.get_session(sid) == {}
