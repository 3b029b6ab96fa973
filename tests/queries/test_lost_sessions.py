"""Joins and leaves of clients whose sessions the bus does not have, as it was away: they are done again."""

from __future__ import annotations

import asyncio

import pytest

from socketio_cluster import PartialAnswer, TooManyRooms
from socketio_cluster.manager.errors import UNKNOWN_SID
from socketio_cluster.manager.ids import new_sid
from socketio_cluster.manager.queries.answering import AT_ONCE
from socketio_cluster.manager.recovery.client_session import ClientSession
from tests.harness import eventually
from tests.queries.crowd import CrowdedNode

pytestmark = pytest.mark.parametrize("bus_url", ["local"], indirect=True)

CLIENTS = 2 * AT_ONCE + 1
ROOMS = ["red", "blue"]


@pytest.fixture
async def node(bus_url, prefix):
    """A node with many clients whose sessions are lost."""
    one = CrowdedNode(bus_url, prefix)
    await one.start(CLIENTS)
    for client in one.manager.members.clients.values():
        client.session = ClientSession("", "", 0, lost=True)
    yield one
    await one.stop()


class Slow:
    """Stands in the place of ``enter_room`` or ``leave_room``: takes a few turns, and may raise."""

    def __init__(self, errors):
        self.begun = self.ended = self.most = 0
        self._errors = iter(errors)

    async def __call__(self, sid, room, namespace=None):
        self.begun += 1
        self.most = max(self.most, self.begun - self.ended)
        error = next(self._errors, None)
        if error is None:
            for _ in range(3):
                await asyncio.sleep(0)
        self.ended += 1
        if error is not None:
            raise error


@pytest.mark.parametrize("verb", ["enter", "leave"])
@pytest.mark.parametrize("fails", [False, True])
async def test_some_at_once(node, monkeypatch, verb, fails):
    """Not all are done at the same time. All have been done when the answer comes, also if one fails."""
    slow = Slow([RuntimeError("no luck")] if fails else [])
    monkeypatch.setattr(node.sio, f"{verb}_room", slow)
    ask = node.sio.sockets_join if verb == "enter" else node.sio.sockets_leave
    if fails:
        with pytest.raises(PartialAnswer, match="no luck"):
            await ask(ROOMS)
    else:
        assert await ask(ROOMS) == CLIENTS
    assert slow.ended == slow.begun == CLIENTS * len(ROOMS)
    assert slow.most <= AT_ONCE


async def test_refused(node, monkeypatch):
    """Clients that are at their limit are counted; those that are gone are not."""
    errors = [TooManyRooms("too many"), ValueError(UNKNOWN_SID), TooManyRooms("too many")]
    monkeypatch.setattr(node.sio, "enter_room", Slow(errors))
    with pytest.raises(PartialAnswer, match="2 joins were refused: .* rooms_per_client"):
        await node.sio.sockets_join(ROOMS)


async def test_another_error(node, monkeypatch):
    """An error of the node that has the client now is not called one of the limit."""
    monkeypatch.setattr(node.sio, "enter_room", Slow([ValueError("KeyError on node 12345678")]))
    with pytest.raises(PartialAnswer, match="KeyError on node 12345678"):
        await node.sio.sockets_join(ROOMS)


async def test_the_limit_of_a_client_elsewhere(bus_url, prefix):
    """A client of another node that is at its limit raises what one of this node raises."""
    here, there = nodes = [CrowdedNode(bus_url, prefix, rooms_per_client=1) for _ in range(2)]
    try:
        await here.start(0)
        await there.start(1)
        await eventually(lambda: there.manager.node_id in here.manager.nodes())
        (sid,) = there.manager.members.clients
        await here.sio.enter_room(sid, "red")
        with pytest.raises(TooManyRooms, match="rooms_per_client"):
            await here.sio.enter_room(sid, "blue")
        with pytest.raises(ValueError, match=UNKNOWN_SID) as gone:
            await here.sio.enter_room(new_sid(there.manager.node_id), "blue")
        assert type(gone.value) is ValueError
    finally:
        for node in nodes:
            await node.stop()
