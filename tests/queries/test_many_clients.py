"""Questions about thousands of clients: all are found, once, and little is in memory, on every bus."""

from __future__ import annotations

import asyncio

import pytest

from socketio_cluster.manager.queries.answer_window import PIECES
from socketio_cluster.manager.queries.pieces import PIECE_BYTES
from tests.harness import eventually
from tests.queries.crowd import CrowdedNode

CLIENTS = 2000


@pytest.fixture
async def crowds(bus_url, prefix):
    """Two nodes with many clients, and one without, that asks."""
    nodes = [CrowdedNode(bus_url, prefix) for _ in range(3)]
    try:
        for node, clients in zip(nodes, (0, CLIENTS, CLIENTS), strict=True):
            await node.start(clients)
        ids = {node.manager.node_id for node in nodes}
        await eventually(lambda: all(ids <= set(node.manager.nodes()) for node in nodes))
        yield nodes
    finally:
        for node in nodes:
            await node.stop()


def waiting(asker):
    """The bytes of the pieces that the one who asks has not taken yet."""
    polls = asker.manager.queries._polls._polls.values()
    return sum(len(item) for poll in polls for piece in poll._pieces for item in piece.items)


async def test_found_one_by_one(crowds):
    """Each client comes once, while at most the pieces of a window wait for each node."""
    asker, most, seen = crowds[0], 0, set()
    async for one in asker.sio.fetch_sockets(timeout=60):
        assert one.sid not in seen
        seen.add(one.sid)
        if len(seen) == 1:
            for _ in range(50):  # round trips in which the nodes could send all
                assert await asker.sio.count() == 2 * CLIENTS
        most = max(most, waiting(asker))
    assert len(seen) == 2 * CLIENTS
    assert most < 2 * PIECES * (PIECE_BYTES + 1000)


async def test_filtered(crowds):
    """A filter is applied where the clients are: what it takes away does not travel."""
    asker = crowds[0].sio
    before = crowds[1].manager.stats.published["Finding"]
    found = await asker.fetch_sockets(where={"even": True, "number <": 100}, timeout=60)
    assert len(found) == 100
    assert crowds[1].manager.stats.published["Finding"] == before + 2
    assert await asker.count(where={"number >=": CLIENTS // 2}, timeout=60) == CLIENTS


async def test_others_have_their_turn(crowds):
    """While long lists are given and taken, events between the servers go on."""
    heard = []
    for node in crowds[1:]:
        node.sio.on_server("tick", heard.append)
    asking = asyncio.ensure_future(crowds[0].sio.fetch_sockets(timeout=60))
    ticks = 0
    while not asking.done():
        await crowds[0].sio.server_side_emit_with_ack("tick", ticks, timeout=60)
        ticks += 1
    assert len(await asking) == 2 * CLIENTS
    assert ticks > 2
    assert len(heard) == 2 * ticks


async def test_all_answer(crowds):
    """The answers of all who answer come, once; nothing is kept for those who never do."""
    seen = {answer.sid: answer.data async for answer in crowds[0].sio.emit_with_ack("ask", timeout=5)}
    assert len(seen) == 2 * CLIENTS * 9 // 10
    assert sorted(set(seen.values())) == [number for number in range(CLIENTS) if number % 10]
    await eventually(lambda: not any(len(n.manager.client_acks) or len(n.manager.replies) for n in crowds))
    assert len(crowds[0].manager.queries) == 0
