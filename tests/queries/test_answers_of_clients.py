"""One event that the clients of all nodes answer, on every bus."""

from __future__ import annotations

import asyncio
import signal

import pytest

from socketio_cluster import ClientAnswer, PartialAnswer
from tests.harness import client, eventually, fence, three_nodes
from tests.outage.test_node_gone import QUICK


def nothing_left(nodes):
    """No node keeps a callback, a question, or an answer that it has not given wholly."""
    managers = [node.manager for node in nodes]
    return not any(len(m.client_acks) or len(m.queries) or len(m.replies) for m in managers)


async def listed(answers):
    return await answers


async def collect(answers, into):
    async for answer in answers:
        into.append(answer)  # noqa: PERF401 - an error may follow


async def test_all_answer(nodes, connect):
    """The list holds the answer of each client that was meant, whatever its node, with binary data."""
    clients = [await connect(node) for node in nodes for _ in range(3)]
    for one in clients[:-1]:
        await nodes[0].sio.enter_room(one.sid, "blue")
    await nodes[0].sio.enter_room(clients[0].sid, "muted")
    data = {"price": 3, "raw": b"\x00\xff"}
    for node in nodes:
        answers = await node.sio.emit_with_ack("ask", data, "blue", except_="muted")
        expected = [ClientAnswer(one.sid, data) for one in clients[1:-1]]
        assert sorted(answers, key=str) == sorted(expected, key=str)
    assert await nodes[1].sio.emit_with_ack("both", (1, "two"), clients[0].sid) == [
        ClientAnswer(clients[0].sid, (1, "two"))
    ]
    assert await nodes[1].manager.emit_with_ack("none", room=clients[4].sid, local=True) == [
        ClientAnswer(clients[4].sid, None)
    ]
    assert await nodes[1].sio.emit_with_ack("nobody", room="empty") == []
    assert await nodes[1].sio.emit_with_ack("nobody", namespace="/chat") == []
    await fence(nodes[0], clients[-1])
    assert nothing_left(nodes)


async def test_every_client(nodes, connect_any):
    """Every official client answers, over both transports."""
    one = await connect_any(nodes[1])
    assert await nodes[0].sio.emit_with_ack("ask", [1, b"\x01"]) == [ClientAnswer(one.sid, [1, b"\x01"])]


@pytest.mark.parametrize("serializer", ["msgpack"])
async def test_msgpack(nodes, connect):
    """With another packet format the answers are the same."""
    one = await connect(nodes[1])
    assert await nodes[0].sio.emit_with_ack("ask", {"b": b"\x01"}) == [ClientAnswer(one.sid, {"b": b"\x01"})]


async def test_who_never_answers(nodes, connect):
    """Answers come as they are there; who gives none in time is left out, and nothing is kept for it."""
    answering = [await connect(node) for node in nodes]
    for node in nodes:
        await connect(node, reply=False)
    seen = []
    async for answer in nodes[0].sio.emit_with_ack("ask", 1, timeout=1):
        if not seen:
            assert not nothing_left(nodes)
        seen.append(answer.sid)
    assert sorted(seen) == sorted(one.sid for one in answering)
    await eventually(lambda: nothing_left(nodes))
    assert len(await nodes[1].sio.emit_with_ack("again", timeout=0.5)) == 3
    await eventually(lambda: nothing_left(nodes))


async def test_who_leaves(nodes, connect):
    """A client that leaves before it answers is waited for no longer."""
    here, there = await connect(nodes[0], reply=False), await connect(nodes[1], reply=False)
    one = await connect(nodes[2])
    asking = asyncio.create_task(listed(nodes[0].sio.emit_with_ack("ask", timeout=60)))
    for each in (here, there):
        await each.next("ask")
        await each.disconnect()
    assert await asyncio.wait_for(asking, 10) == [ClientAnswer(one.sid, None)]
    assert nothing_left(nodes)


async def test_who_asks_stops(nodes, connect):
    """Who leaves the loop, or is cancelled, waits for nobody; all nodes let go before the time is over."""
    one = await connect(nodes[1])
    await connect(nodes[2], reply=False)
    async for answer in nodes[0].sio.emit_with_ack("ask", timeout=600):
        assert answer.sid == one.sid
        break
    asking = asyncio.create_task(listed(nodes[0].sio.emit_with_ack("ask", timeout=600)))
    await one.next("ask")
    await one.next("ask")
    asking.cancel()
    await eventually(lambda: nothing_left(nodes))


async def test_bad_input(nodes):
    """What cannot be emitted is refused at once, a wrong timeout when the waiting begins."""
    sio = nodes[0].sio
    with pytest.raises(TypeError):
        sio.emit_with_ack("ask", object())
    with pytest.raises(ValueError):
        sio.emit_with_ack("disconnect")
    with pytest.raises(ValueError, match="timeout"):
        await sio.emit_with_ack("ask", timeout=-1)
    assert nothing_left(nodes)


async def test_frozen_and_killed(bus_url, prefix, lonely):
    """A node that says nothing is named, with the answers of the others; a dead one is not waited for."""
    async with three_nodes(bus_url, prefix, count=2, **QUICK) as nodes:
        await eventually(lambda: lonely.id in nodes[0].manager.nodes())
        # Else a question waits for that, and meanwhile the node is dead.
        assert await nodes[0].manager.introduced(15)
        async with client(nodes[1]) as one, client(lonely):
            lonely.process.send_signal(signal.SIGSTOP)
            with pytest.raises(PartialAnswer) as caught:
                await nodes[0].sio.emit_with_ack("ask", 1, timeout=0.2)
            assert caught.value.missing == {lonely.id}
            assert caught.value.answer == [ClientAnswer(one.sid, 1)]
            seen = []
            with pytest.raises(PartialAnswer) as caught:
                await collect(nodes[0].sio.emit_with_ack("ask", 2, timeout=0.2), seen)
            assert seen == [ClientAnswer(one.sid, 2)]
            assert caught.value.answer == []
            await lonely.kill()
            answers = await asyncio.wait_for(listed(nodes[0].sio.emit_with_ack("ask", 3, timeout=60)), 15)
            assert answers == [ClientAnswer(one.sid, 3)]
