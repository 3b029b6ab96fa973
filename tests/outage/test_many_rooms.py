"""What an emit to many rooms costs the bus."""

from __future__ import annotations

import re

import pytest

from tests.harness import client, eventually, fence, three_nodes


def moved(server):
    """Bytes that have gone into and out of a Redis."""
    stats = server.ask("INFO", "stats").decode()
    return sum(int(number) for number in re.findall(r"total_net_(?:in|out)put_bytes:(\d+)", stats))


@pytest.mark.parametrize("count", [2, 16, 17, 3000, 9000])
async def test_an_emit_to_many_rooms(redis_server, prefix, count):
    """An emit to many rooms reaches each member once, and moves a few copies of the rooms' names at most."""
    async with three_nodes(redis_server.url, prefix) as nodes:
        async with client(nodes[1]) as far, client(nodes[2]) as third, client(nodes[2]) as stranger:
            rooms = [f"room {number:05}" for number in range(count)]
            for room in (rooms[0], rooms[-1]):
                await nodes[1].sio.enter_room(far.sid, room)
            await nodes[2].sio.enter_room(third.sid, rooms[count // 2])
            before = moved(redis_server)
            await nodes[0].sio.emit("n", "12345", to=rooms)
            assert await far.next("n") == ["12345"]
            assert await third.next("n") == ["12345"]
            bytes_moved = moved(redis_server) - before
            await fence(nodes[0], far, third, stranger)
            await eventually(lambda: nodes[0].manager.ready)
            assert bytes_moved < 20_000 + 4 * 20 * count + 20 * 20 * min(count, 16) ** 2
            assert all(node.manager.stats.reconnects == 0 for node in nodes)


async def test_an_emit_to_many_clients(bus_url, prefix):
    """A list of more sids than there are nodes goes to the inboxes of those nodes, once to each client."""
    async with three_nodes(bus_url, prefix) as nodes:
        async with client(nodes[1]) as far, client(nodes[2]) as third:
            sids = [far.sid, third.sid] + [node.manager.node_id + "x" * 12 for node in nodes] * 20
            await nodes[0].sio.emit("n", to=sids)
            assert await far.next("n") == await third.next("n") == []
            await fence(nodes[0], far, third)
