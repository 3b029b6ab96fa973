"""Namespaces of which an application's names are members of an enum, and clients of them that are away."""

from __future__ import annotations

from enum import Enum

import pytest

from tests.recovery.clients import came_back, left


class Space(str, Enum):  # noqa: UP042
    """Namespaces as an application may name them. ``str`` of such a member is not its value."""

    CHAT = "/chat"


@pytest.fixture
async def chatting(door, connect, driver):
    """A client in the namespace, beside another one on the same connection."""
    one = await connect()
    async with driver.client(door, namespace="/chat", beside=one) as other:
        assert await other.connects.get() is False
        yield other


@pytest.mark.parametrize("bus_url", ["local", "redis"], indirect=True)
async def test_saved_while_away(nodes, door, chatting):
    """What is saved for a client that is away is there when it comes back."""
    a, b, _ = nodes
    sid = chatting.sid
    await b.sio.enter_room(sid, "red", namespace=Space.CHAT)
    await a.sio.save_session(sid, {"n": 1}, namespace=Space.CHAT)
    door.cut()
    await left(a, sid, "/chat")
    await b.sio.enter_room(sid, "blue", namespace=Space.CHAT)
    await b.sio.leave_room(sid, "red", namespace=Space.CHAT)
    await b.sio.save_session(sid, {"n": 2}, namespace=Space.CHAT)
    door.lead(b)
    assert await came_back(chatting) is True
    assert await b.sio.get_session(sid, namespace=Space.CHAT) == {"n": 2}
    assert set(b.sio.rooms(sid, namespace=Space.CHAT)) == {sid, "blue"}


@pytest.mark.parametrize("bus_url", ["redis"], indirect=True)
async def test_disconnected_while_away(nodes, door, chatting):
    """A client that was disconnected while it was away comes back as a new one."""
    a, b, _ = nodes
    sid = chatting.sid
    door.cut()
    await left(a, sid, "/chat")
    await b.sio.disconnect(sid, namespace=Space.CHAT)
    door.lead(b)
    assert await came_back(chatting) is False
