"""A client that comes back has never left the rooms in which it was present."""

from __future__ import annotations

import pytest

from tests.harness import client, eventually
from tests.presence.view import View, lists
from tests.recovery.clients import came_back, left


@pytest.mark.parametrize("back", [0, 1])
async def test_comes_back(nodes, door, connect, back):
    """On the same node or another one it is present with the same key and meta, and gets the state again."""
    calls = []
    for node in nodes:
        node.manager.presence.on_join(lambda *call: calls.append(("join", *call)))
        node.manager.presence.on_leave(lambda *call: calls.append(("leave", *call)))
    async with client(nodes[2]) as watcher:
        await nodes[2].manager.presence.watch(watcher.sid, "tea")
        view = View(watcher, "tea")
        one = await connect(transports=["websocket"])
        sid = one.sid
        await nodes[0].manager.presence.track(sid, "tea", key="ada", meta={"x": 1})
        await View(one, "tea").shows({"ada": [{"x": 1}]})
        await view.shows({"ada": [{"x": 1}]})
        told = len(view.told)
        door.cut()
        await left(nodes[0], sid)
        door.lead(nodes[back])
        assert await came_back(one) is True
        await View(one, "tea").shows({"ada": [{"x": 1}]})
        room = nodes[back].manager.present.held["/", "tea"]
        await eventually(lambda: sid in room.own.entries and not room.own.entries[sid].lost)
        await nodes[1].manager.presence.update(sid, "tea", {"x": 2})
        await view.shows({"ada": [{"x": 2}]})
        assert len(view.told) == told + 1  # nothing but the update
        await nodes[2].manager.presence.untrack(sid)
        await view.shows({})
        for node in nodes:
            await lists(node, "tea")
        await eventually(lambda: len(calls) == 2)
        assert calls == [("join", "tea", "ada", {"x": 1}), ("leave", "tea", "ada", {"x": 2})]
