"""Events between servers, on every bus."""

from __future__ import annotations

import asyncio

import pytest

from socketio_cluster import PartialAnswer
from tests.harness import eventually, three_nodes
from tests.outage.test_node_gone import QUICK


async def test_emit(nodes):
    """An event runs on each other node, once, in its namespace, with all its arguments."""
    seen = []
    for number, node in enumerate(nodes):
        node.sio.on_server("reload", lambda *args, number=number: seen.append((number, *args)))
        node.sio.on_server("reload", lambda *args: seen.append("wrong"), namespace="/chat")
    await nodes[0].sio.server_side_emit("reload", {"v": 2, "key": b"\x00"})
    await nodes[1].sio.server_side_emit("reload", (1, "two"))
    await nodes[2].manager.server_side_emit("reload")
    await nodes[0].sio.server_side_emit("nobody hears this")
    first = {"v": 2, "key": b"\x00"}
    expected = [(1, first), (2, first), (0, 1, "two"), (2, 1, "two"), (0,), (1,)]
    await eventually(lambda: len(seen) == len(expected))
    assert all(each in seen for each in expected)
    assert await nodes[0].sio.count() == 0  # nothing more is on its way
    assert len(seen) == len(expected)


async def test_order(nodes):
    """Events of one server run in the order in which they were emitted."""
    seen = []
    nodes[1].sio.on_server("n", seen.append)
    for number in range(200):
        await nodes[0].sio.server_side_emit("n", number)
    await eventually(lambda: len(seen) == 200)
    assert seen == list(range(200))


async def test_with_ack(nodes):
    """``server_side_emit_with_ack`` gives what the handler of each other node has returned."""
    for node in nodes:

        @node.sio.on_server("health")
        async def health(factor, node=node):
            await asyncio.sleep(0)
            return {"id": node.manager.node_id, "factor": 2 * factor, "raw": b"\xff"}

    others = {node.manager.node_id for node in nodes[1:]}
    answers = await nodes[0].sio.server_side_emit_with_ack("health", 4)
    assert answers == {node: {"id": node, "factor": 8, "raw": b"\xff"} for node in others}


async def test_nodes_that_cannot(nodes):
    """A handler that raises, is missing, slow, or returns what cannot be packed: the error says which."""
    ids = [node.manager.node_id for node in nodes]
    waiting = asyncio.Event()
    nodes[1].sio.on_server("raises", lambda: 1 / 0)
    nodes[2].sio.on_server("raises", lambda: "fine")
    nodes[1].sio.on_server("packs", asyncio.Lock)
    nodes[1].sio.on_server("slow", waiting.wait)
    nodes[2].sio.on_server("slow", lambda: "fast")
    cases = {
        "raises": ({ids[2]: "fine"}, {ids[1]: "ZeroDivisionError"}, set()),
        "packs": ({}, {ids[1]: "cannot be sent", ids[2]: "no handler of 'packs'"}, set()),
        "slow": ({ids[2]: "fast"}, {}, {ids[1]}),
    }
    for event, (answer, failures, missing) in cases.items():
        with pytest.raises(PartialAnswer) as caught:
            await nodes[0].sio.server_side_emit_with_ack(event, timeout=1 if missing else None)
        assert caught.value.answer == answer
        assert caught.value.missing == missing
        assert caught.value.failures.keys() == failures.keys()
        for node, text in failures.items():
            assert text in caught.value.failures[node]
    waiting.set()


async def test_bad_input(nodes):
    """What cannot be sent or registered is refused at once."""
    sio = nodes[0].sio
    for ask in (sio.server_side_emit, sio.server_side_emit_with_ack):
        with pytest.raises(TypeError):
            await ask("event", asyncio.Lock)
        with pytest.raises(TypeError):
            await ask(7)
    with pytest.raises(TypeError):
        sio.on_server("event", "no function")
    with pytest.raises(TypeError):
        sio.on_server(len)


async def test_dead_node(bus_url, prefix, lonely):
    """A node that dies is not waited for any longer than until that is known."""
    async with three_nodes(bus_url, prefix, count=2, **QUICK) as nodes:
        await eventually(lambda: lonely.id in nodes[0].manager.nodes())
        nodes[1].sio.on_server("health", lambda: "fine")
        await lonely.kill()
        answers = await asyncio.wait_for(nodes[0].sio.server_side_emit_with_ack("health", timeout=60), 15)
        assert answers == {nodes[1].manager.node_id: "fine"}
