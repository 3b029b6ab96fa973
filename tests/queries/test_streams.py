"""Long answers come in pieces as they are wanted, on every bus."""

from __future__ import annotations

import asyncio

import pytest

from socketio_cluster.manager.queries.answer_window import PIECES
from tests.harness import eventually


@pytest.fixture
async def crowd(nodes, connect):
    """Clients on two nodes, each with a session that fills a piece."""
    clients = []
    for node in nodes[1:]:
        for _ in range(2 * PIECES):
            one = await connect(node)
            await node.sio.save_session(one.sid, {"text": "x" * 33_000})
            clients.append(one.sid)
    return clients


def idle(nodes):
    """No node has a question or an answer to give any more."""
    return not any(len(node.manager.queries) or len(node.manager.replies) for node in nodes)


async def test_one_by_one(nodes, crowd):
    """A node sends few pieces, and then one for each that was taken: who takes nothing gets no more."""
    stream = nodes[0].sio.fetch_sockets()
    sent = [node.manager.stats.published for node in nodes[1:]]
    seen = []
    async for one in stream:
        seen.append(one.sid)
        if len(seen) == 1:
            await eventually(lambda: all(each["Finding"] >= PIECES for each in sent))
            await nodes[0].sio.count()  # nothing more is on its way
            assert all(each["Finding"] <= PIECES + 1 for each in sent)
    assert sorted(seen) == sorted(crowd)
    assert [each["Finding"] for each in sent] == [2 * PIECES + 2] * 2
    assert sorted(one.sid for one in await stream) == sorted(crowd)
    assert idle(nodes)


async def test_who_stops(nodes, crowd):
    """Who leaves the loop is sent no more, and no node keeps anything for it."""
    for leave in ("break", "cancel"):
        taken = asyncio.Event()

        async def take(leave=leave, taken=taken):
            async for _ in nodes[0].sio.fetch_sockets():
                taken.set()
                if leave == "break":
                    break
                await asyncio.Event().wait()

        taking = asyncio.create_task(take())
        await taken.wait()
        if leave == "cancel":
            taking.cancel()
        await asyncio.wait([taking])
        await eventually(lambda: idle(nodes))


async def test_slow_reader(nodes, crowd):
    """The time in which the caller works on what it has got is none of the nodes'."""
    seen = []
    async for one in nodes[0].sio.fetch_sockets(timeout=0.5):
        seen.append(one.sid)
        if len(seen) in (1, len(crowd) // 2):
            await asyncio.sleep(1)  # twice as long as a node may take
    assert sorted(seen) == sorted(crowd)


async def test_two_at_once(nodes, crowd):
    """Two questions at once, of one node and of two, each get it all."""
    asked = [node.sio.fetch_sockets(session=size) for node in nodes[:2] for size in (True, False)]
    for answer in await asyncio.gather(*asked, *(node.sio.count() for node in nodes)):
        assert answer == len(crowd) or sorted(one.sid for one in answer) == sorted(crowd)
    assert idle(nodes)
