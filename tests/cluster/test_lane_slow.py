"""A client that does not read costs the node a bounded number of bytes, and the others nothing."""

from __future__ import annotations

import asyncio
import contextlib
import itertools

import pytest

from socketio_cluster.cluster.lane import connection
from socketio_cluster.cluster.lane.frames import CLOSE
from socketio_cluster.manager.clients.slow_consumers import MAX_EXTRA_MARKS
from tests.bare_sessions import raw_polling
from tests.cluster.lane_helpers import client_frame, lane_node, raw
from tests.harness import eventually

MEGABYTE = 2**20
LIMIT = 4 * MEGABYTE
PATHS = pytest.mark.parametrize("lane", [True, False], ids=["lane", "ordinary"])


def waiting(node):
    """The bytes that wait in this node for each connection, by Engine.IO sid."""
    if not node.lane:
        return {sid: socket.queue.waiting for sid, socket in node.sockets.items()}
    return {sid: lane.queued for sid, lane in node.hooks.lanes.items() if not lane._transport.is_closing()}


async def read_all(one, count):
    """Read this many messages of a megabyte, each numbered."""
    for number in range(count):
        assert (await one.text())[: len(f'42["n",{number},')] == f'42["n",{number},'


@PATHS
async def test_stalled_websocket(lane):
    """Of four clients the one that stops reading is cut off, at a bound; the others get everything."""
    async with lane_node(lane, client_bytes=MEGABYTE, slow_seconds=60) as node:
        async with contextlib.AsyncExitStack() as stack:
            stalled = await stack.enter_async_context(raw(node, receive_buffer=4096))
            readers = [await stack.enter_async_context(raw(node)) for _ in range(3)]
            reading = [asyncio.create_task(read_all(one, 30)) for one in readers]
            for number in range(30):
                await node.sio.emit("n", (number, "x" * MEGABYTE))
                assert sum(waiting(node).values()) < (MAX_EXTRA_MARKS + 8) * MEGABYTE
                await eventually(
                    lambda: all(b < MEGABYTE for s, b in waiting(node).items() if s != stalled.eio_sid)
                )
            await asyncio.gather(*reading)
            await eventually(lambda: node.reasons == ["slow consumer"])
            assert node.log[-1][1] == stalled.sid
            assert node.manager.stats.slow_consumers == 1
            if lane:  # over ASGI a connection cannot be broken off: it goes when its client does
                await eventually(lambda: stalled.eio_sid not in node.sockets)
                await stalled.lost()
        await eventually(lambda: node.forgotten)


@PATHS
async def test_burst_in_one_turn(lane):
    """A client that reads nothing of a burst is cut off after a while, without another event behind it."""
    async with lane_node(lane, client_bytes=LIMIT, slow_seconds=0.3) as node:
        async with raw(node, receive_buffer=4096) as stalled:
            for number in range(20):
                await node.sio.emit("n", (number, "x" * MEGABYTE), to=stalled.sid)
            await eventually(lambda: node.reasons == ["slow consumer"])
            assert sum(waiting(node).values()) < 100
        await eventually(lambda: node.forgotten)
    assert node.manager.stats.slow_consumers == 1


@PATHS
async def test_client_that_never_polls(lane):
    """A polling client that never polls is cut off, and what waited for it is let go."""
    async with lane_node(lane, client_bytes=LIMIT, slow_seconds=0.3) as node:
        async with raw_polling(node) as session:
            assert await session.post("40") == 200
            sid = node.log[0][1]
            (socket,) = node.sockets.values()
            for number in range(6):
                await node.sio.emit("n", (number, "x" * MEGABYTE), to=sid)
            await eventually(lambda: node.reasons == ["slow consumer"])
            await eventually(lambda: socket.queue.waiting < 100)
    assert node.manager.stats.slow_consumers == 1


@PATHS
async def test_slow_for_a_while(lane):
    """A client that does not read for a while, below the limit, then gets everything in order."""
    async with lane_node(lane, client_bytes=LIMIT) as node:
        async with raw(node, receive_buffer=4096) as slow:
            for _ in range(2):
                sent = 0
                while waiting(node)[slow.eio_sid] < LIMIT // 2:
                    await node.sio.emit("n", (sent, "x" * 50_000, b"y" * 1000))
                    sent += 1
                    await asyncio.sleep(0)
                for number in range(sent):
                    assert (await slow.text()).startswith(f'451-["n",{number},"x')
                    assert (await slow.frame())[1] == b"y" * 1000
            await slow.say('427["done"]')
            assert await slow.text() == "437[]"
        await eventually(lambda: node.forgotten)
    assert node.reasons == ["transport close"]
    assert not node.manager.stats.slow_consumers


async def test_always_behind():
    """A client that is always behind, but never by more than the limit, is not cut off."""
    # The kernel takes more only when a third of its own buffer is free: one to two megabytes at a time.
    limit = 8 * MEGABYTE
    async with lane_node(client_bytes=limit) as node:
        async with raw(node, receive_buffer=4096) as slow:
            numbers = itertools.count()
            while waiting(node)[slow.eio_sid] < 2 * MEGABYTE:
                await node.sio.emit("n", (next(numbers), "x" * 64_000))
                await asyncio.sleep(0)
            for due in range(150):
                assert (await slow.text()).startswith(f'42["n",{due},')
                await node.sio.emit("n", (next(numbers), "x" * 64_000))
                assert waiting(node)[slow.eio_sid] > MEGABYTE
            for due in range(150, next(numbers)):
                assert (await slow.text()).startswith(f'42["n",{due},')
    assert not node.manager.stats.slow_consumers


async def stall(node, one):
    """Send until something waits in the transport, but not so much that the lane would be told."""
    lane = node.hooks.lanes[one.eio_sid]
    while not lane._transport.get_write_buffer_size():
        assert not lane._transport.is_closing()
        await node.sio.emit("n", "x" * 30_000, to=one.sid)
        await eventually(lambda: not lane._pending)  # else several leave at once, past the mark
    assert not lane._paused


async def test_close_of_a_stalled_connection(monkeypatch):
    """A connection that the server closes ends, though its client does not even read that."""
    monkeypatch.setattr(connection, "CLOSE_SECONDS", 0.2)
    async with lane_node() as node:
        async with raw(node, receive_buffer=4096) as one:
            await stall(node, one)
            await node.sio.eio.disconnect(one.eio_sid)
            assert len(node.server.server_state.connections) == 1
            await eventually(lambda: not node.server.server_state.connections)
            await eventually(lambda: node.forgotten)


async def test_nothing_behind_the_close_frame():
    """What is emitted after a close frame, while that still waits for a client to read, is not sent."""
    async with lane_node() as node:
        async with raw(node, receive_buffer=4096) as one, raw(node) as other:
            lane = node.hooks.lanes[one.eio_sid]
            await stall(node, one)
            await one.send(client_frame(CLOSE, b"\x03\xe8"))
            await eventually(lane._transport.is_closing)
            await node.sio.emit("late")
            assert await other.text() == '42["late"]'  # all lanes are flushed together
            assert await one.closed() == 1000
        await eventually(lambda: node.forgotten)


async def test_ping_timeout_of_a_stalled_connection():
    """A client that neither reads nor answers times out, and its connection ends at once."""
    async with lane_node(server_options={"ping_interval": 0.3, "ping_timeout": 2}) as node:
        async with raw(node, receive_buffer=4096) as one:
            await stall(node, one)
            await eventually(lambda: not node.server.server_state.connections)
            assert node.reasons == ["ping timeout"]
            await eventually(lambda: node.forgotten)


async def test_events_after_the_end(caplog):
    """What is emitted to a client while its disconnect handler runs is let go, and does not pile up."""
    async with lane_node(client_bytes=LIMIT) as node:
        release, ending = asyncio.Event(), asyncio.Event()

        @node.sio.on("disconnect")
        async def disconnect(sid, reason):
            ending.set()
            await release.wait()

        async with raw(node) as one, raw(node) as other:
            await one.say("40/chat,")
            await one.text()
            (lane, _) = node.hooks.lanes.values()
            one.drop()
            await asyncio.wait_for(ending.wait(), 5)
            for number in range(50):
                await node.sio.emit("n", number, namespace="/chat")
                await node.sio.emit("n", number)
                assert await other.text() == f'42["n",{number}]'
            assert not lane._pending
            release.set()
            await eventually(lambda: len(node.sockets) == 1)
    assert not [record for record in caplog.records if record.name == "asyncio"]  # writes to what is closed
    assert not node.manager.stats.slow_consumers
