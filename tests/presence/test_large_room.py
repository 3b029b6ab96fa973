"""A room with 50,000 who are present: what is told and listed comes in pieces, and changes are gathered."""

from __future__ import annotations

from socketio_cluster.manager.bus.presence_messages import Entry
from socketio_cluster.manager.presence.telling import PIECE_KEYS
from tests.harness import client, eventually, three_nodes
from tests.presence.view import View

PEOPLE = 50_000
PLACE = ("/", "stadium")


def fill(node, numbers):
    """Let clients be present that nobody has to connect for it."""
    room = node.manager.present.hold(PLACE)
    for number in numbers:
        sid = f"{node.manager.node_id}{number:012}"
        room.own.put(Entry(sid, f"user-{number}", b'{"name":"somebody"}'))
    return room


def clear(node, room):
    """Let all clients of a node leave at once."""
    for sid in list(room.own.entries):
        room.own.remove(sid)
    node.manager.present.touch(room)


async def test_large_room(redis_url, prefix):
    """All nodes and clients agree on 50,000 people, half of whom leave at once, and few messages say so."""
    async with three_nodes(redis_url, prefix, presence_grace=1.0) as nodes, client(nodes[2]) as watcher:
        rooms = [fill(nodes[0], range(PEOPLE // 2)), fill(nodes[1], range(PEOPLE // 2, PEOPLE))]
        await nodes[2].sio.presence.watch(watcher.sid, PLACE[1])
        view = View(watcher, PLACE[1])
        await view.has(PEOPLE, 60)
        assert len(await nodes[2].sio.presence.list(PLACE[1])) == PEOPLE
        for node in nodes:
            assert await node.sio.presence.count(PLACE[1]) == PEOPLE
        assert all(len(data.get("state", {})) <= PIECE_KEYS for _, data in view.told)
        assert all(len(data.get("joins", {})) <= PIECE_KEYS for _, data in view.told)
        told = len(view.told)
        clear(nodes[1], rooms[1])
        await view.has(PEOPLE // 2, 60)
        assert len(view.told) - told <= 2 * PEOPLE / 2 / PIECE_KEYS
        changes = sum(node.manager.stats.published["PresenceChange"] for node in nodes)
        assert changes < PEOPLE / 100
        clear(nodes[0], rooms[0])
        await view.has(0, 60)
        await eventually(lambda: all(len(node.manager.present.held) <= 1 for node in nodes))
