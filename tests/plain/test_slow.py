"""Plain clients that do not keep up, under each policy."""

from __future__ import annotations

import asyncio

from socketio_cluster.cluster.http import websocket
from socketio_cluster.cluster.metrics.clients import read_clients
from socketio_cluster.cluster.plain import writer
from socketio_cluster.cluster.plain.outbound import Outbound
from tests.harness import LANE, eventually
from tests.plain.plain import plain, plain_nodes

CHUNK = "x" * 20_000


def test_close_says_when_it_is_full():
    """Without ``skip`` the queue is full above the high mark, and empties in order."""
    queue = Outbound(high=10, low=4, skip=False)
    assert queue.put("12345")
    assert queue.put_event("67890")
    assert not queue.put_event("x")
    assert [queue.take() for _ in range(4)] == ["12345", "67890", "x", None]
    assert queue.waiting == 0


def test_skip_leaves_events_out_until_the_low_mark():
    """With ``skip`` events above the high mark are counted instead, answers are kept."""
    queue = Outbound(high=10, low=4, skip=True)
    assert queue.caught_up() is None
    assert queue.put_event("123456789012")
    assert queue.put_event("lost")
    assert queue.put_event("lost")
    assert queue.put("answer")
    assert (queue.missed, queue.waiting) == (2, 18)
    queue.take()
    assert queue.caught_up() is None
    assert queue.put_event("lost")
    queue.take()
    assert queue.caught_up() == 3
    assert queue.caught_up() is None
    assert queue.put_event("1")
    assert queue.take() == "1"


async def flood(node, until):
    """Emit large events until something holds; returns how many."""
    sent = 0
    async with asyncio.timeout(20):
        while not until():
            await node.sio.emit("much", CHUNK)
            await asyncio.sleep(0)
            sent += 1
    return sent


async def test_slow_reader_is_disconnected(local_url, prefix):
    """By default a client above the high mark is closed with 4008, and nobody else notices."""
    endpoint = {"high_water": 200_000}
    async with plain_nodes(local_url, prefix, count=1, endpoint=endpoint) as [node]:
        async with plain(node, max_queue=1) as slow, plain(node, max_queue=None) as other:
            reading = asyncio.create_task(other.ws.recv())
            await flood(node, lambda: node.manager.stats.slow_consumers)
            assert node.manager.stats.slow_consumers == 1
            await eventually(lambda: ("disconnect", slow.sid, "slow consumer") in node.log)
            assert await slow.closed() == (4008, "slow consumer")
            assert await reading
            await node.sio.emit("done")
            while (await other.hear())["event"] != "done":
                pass
        await eventually(lambda: node.empty and not node.sio.eio.sockets)


async def test_what_waits_is_measured(local_url, prefix):
    """What a plain client does not read is in the metric of queued bytes, until its connection ends."""
    endpoint = {"high_water": 400_000, "slow": "skip"}
    async with plain_nodes(local_url, prefix, count=1, endpoint=endpoint) as [node]:

        def queued():
            return read_clients([node.manager])["socketio_queued_bytes"][()]

        async with plain(node, max_queue=1) as slow:
            await flood(node, lambda: queued() > 200_000)
            slow.ws.transport.abort()
        await eventually(lambda: queued() == 0)


async def test_slow_reader_misses_events(local_url, prefix):
    """With ``skip`` it keeps its connection, is told how many events it missed, and gets the later ones."""
    endpoint = {"high_water": 200_000, "slow": "skip"}
    async with plain_nodes(local_url, prefix, count=1, endpoint=endpoint) as [node]:
        async with plain(node, max_queue=1) as slow:
            [socket] = node.sio.eio.sockets.values()
            sent, heard = await flood(node, lambda: socket.writer._queue.missed >= 5), 0
            while (message := await slow.hear())["event"] == "much":
                heard += 1
            assert message == {"event": "missed", "data": sent - heard}
            await node.sio.emit("n", "later")
            assert await slow.hear() == {"event": "n", "data": "later"}
            assert await slow.ask(event="say", data="both ways") == {"ack": 1, "data": "both ways"}


async def test_slow_reader_that_goes_leaves_nothing(local_url, prefix):
    """A client that is not read from because it is slow is missed when its connection ends."""
    endpoint = {"high_water": 200_000, "slow": "skip"}
    async with plain_nodes(local_url, prefix, count=1, endpoint=endpoint) as [node]:
        async with plain(node, max_queue=1) as slow:
            [socket] = node.sio.eio.sockets.values()
            await flood(node, lambda: socket.writer._queue.missed)
            for _ in range(3):
                await slow.say(event="say")
            slow.ws.transport.abort()
            await eventually(lambda: node.empty and not node.sio.eio.sockets)
        assert ("disconnect", slow.sid, "transport close") in node.log


async def test_client_that_never_reads_is_let_go(local_url, prefix, monkeypatch):
    """A client that does not even read its goodbye costs the node nothing after a while."""
    monkeypatch.setattr(writer, "CLOSE_SECONDS", 0.2)
    monkeypatch.setattr(websocket, "CLOSE_SECONDS", 0.2)
    async with plain_nodes(local_url, prefix, count=1, endpoint={"high_water": 200_000}) as [node]:
        async with plain(node, max_queue=1) as mute:
            mute.ws.transport.pause_reading()
            await flood(node, lambda: node.manager.stats.slow_consumers)
            await eventually(lambda: node.empty and not node.sio.eio.sockets)
            if LANE:
                await eventually(lambda: not node.server.server_state.connections)
            mute.ws.transport.abort()
