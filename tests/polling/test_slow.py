"""A polling client that takes nothing is cut off: what waits for it has a bound, and it is told."""

from __future__ import annotations

import pytest

from tests.cluster.lane_helpers import lane_node
from tests.harness import eventually
from tests.polling.wire import Ways, session, wire

KILOBYTES_100 = 100_000
LIMIT = 10 * KILOBYTES_100


@pytest.fixture
async def node():
    async with lane_node(short=True, client_bytes=LIMIT, slow_seconds=0.3) as one:
        yield one


async def fill(node, one):
    """Emit to a client until it is cut off; return the most bytes that have waited for it on the way."""
    most = 0
    connections = list(node.server.server_state.connections)
    queue = node.sockets[one.sid].queue
    for _ in range(2000):
        if node.reasons:
            break
        await node.sio.emit("n", "x" * KILOBYTES_100, to=one.name)
        written = sum(each.transport.get_write_buffer_size() for each in connections)
        most = max(most, queue.waiting + written)
        await eventually(lambda: node.reasons or queue.waiting < 2 * LIMIT)
    assert node.reasons == ["slow consumer"]
    assert node.manager.stats.slow_consumers == 1
    await eventually(lambda: queue.waiting < 100)
    return most


async def test_polls_no_more(node):
    """A client that has polled and then stops gets an empty answer to its next poll, and then an error."""
    async with session(node) as one:
        assert await fill(node, one) < 3 * LIMIT
        fields, body = await one.ask()
        assert (fields[0], body) == (b"HTTP/1.1 200 OK", b"0\r\n\r\n")
        assert b"Session ID unknown" in (await one.ask())[1]


async def test_polls_but_does_not_read(node, monkeypatch):
    """A client that sends polls and reads no answer has a bound too, in the connection and before it."""
    ways = Ways(monkeypatch)
    async with session(node) as one, wire(node, sid=one.sid) as deaf:
        deaf.writer.transport.pause_reading()
        for _ in range(300):
            deaf.send(deaf.request())
        assert await fill(node, one) < 6 * LIMIT
        assert ways.general
    await eventually(lambda: not node.server.server_state.connections)
