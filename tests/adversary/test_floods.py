"""A client that sends as much as it can holds up neither the event loop nor, with a limit, its turn."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time

import aiohttp
import pytest

from socketio_cluster.cluster.lane.frames import CLOSE, CONTINUATION, PING, PONG, TEXT
from socketio_cluster.cluster.limits import bucket
from socketio_cluster.manager.host.posts import MOST_PACKETS
from tests.adversary.conftest import node_for, way_in
from tests.bare_sessions import raw_polling
from tests.cluster.lane_helpers import client_frame, lane_node, raw
from tests.cluster.measured import LANES, measured
from tests.harness import eventually

lanes = pytest.mark.parametrize("lane", LANES.values(), ids=LANES)
SMALL = '42["a"]'
LONGEST_TURN = 0.25
"""Seconds; a node without these bounds stood still for more than three."""


@contextlib.asynccontextmanager
async def turning():
    """Check that no turn of the loop takes long.

    It is time of the processor, so other processes do not count. As in a worker, the garbage collector leaves
    out the objects that were there before, such as those of earlier tests.
    """
    longest = 0.0

    async def watch():
        nonlocal longest
        while True:
            began = time.thread_time()
            await asyncio.sleep(0.001)
            longest = max(longest, time.thread_time() - began)

    gc.collect()
    gc.freeze()
    watching = asyncio.create_task(watch())
    try:
        await asyncio.sleep(0)
        yield
        await asyncio.sleep(0.01)
    finally:
        watching.cancel()
        gc.unfreeze()
    assert longest < LONGEST_TURN


async def status(session):
    """The status of a poll."""
    async with session.http.get(session.url) as response:
        return response.status


async def test_four_large_posts():
    """Four POSTs of as many packets as are taken hold up nobody, and all their events are handled."""
    async with lane_node() as node, contextlib.AsyncExitStack() as stack:
        sessions = [await stack.enter_async_context(raw_polling(node)) for _ in range(4)]
        for one in sessions:
            await one.post("40")
            await one.get()
        body = "\x1e".join([SMALL] * MOST_PACKETS)
        async with turning():
            assert await asyncio.gather(*(one.post(body) for one in sessions)) == [200] * 4
        assert sum(entry[0] == "a" for entry in node.log) == 4 * MOST_PACKETS


@pytest.mark.parametrize("form", [False, True], ids=["plain", "jsonp"])
async def test_a_post_of_too_many_packets(form):
    """A POST of 1 MB of packets ends its session before any of them is handled."""
    async with lane_node() as node, raw_polling(node) as one:
        await one.post("40")
        await one.get()
        body = "\x1e".join([SMALL] * (MOST_PACKETS + 1))
        async with turning():
            assert await one.post(aiohttp.FormData({"d": body}) if form else body) == 200
        assert await status(one) == 400
        await eventually(lambda: node.reasons == ["transport error"])
        assert not [entry for entry in node.log if entry[0] == "a"]


@pytest.mark.alone
@lanes
@pytest.mark.parametrize("opcode", [TEXT, PING])
async def test_small_frames(lane, opcode):
    """Very many small frames hold up nobody; events are handled in order, those before a close too."""
    async with lane_node(lane) as node, raw(node) as one:
        texts = (
            [f'42["a",{number}]'.encode() for number in range(30_000)] if opcode == TEXT else [b""] * 160_000
        )
        flood = b"".join(client_frame(opcode, text) for text in texts)
        async with turning():
            await asyncio.gather(one.send(flood, client_frame(CLOSE, b"")), one.lost())
            await eventually(lambda: node.reasons)
        if opcode == TEXT:
            assert [entry[2] for entry in node.log if entry[0] == "a"] == [*range(30_000)]


FRAMES = {
    "acks": client_frame(TEXT, b"43[]"),
    "pings": client_frame(PING, b""),
    "pongs": client_frame(PONG, b""),
    "pieces": client_frame(CONTINUATION, b"", fin=False),
}


@pytest.mark.alone
@lanes
@pytest.mark.parametrize("kind", FRAMES)
async def test_small_frames_of_many(lane, kind):
    """What forty clients have sent at once is not all read in one turn of the loop."""
    begin = client_frame(TEXT, b"", fin=False) if kind == "pieces" else b""
    flood = begin + FRAMES[kind] * (15_000 if lane else 3_000) + client_frame(CLOSE, b"")
    async with lane_node(lane) as node, contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(raw(node)) for _ in range(40)]
        async with turning():
            await asyncio.gather(*(one.send(flood) for one in clients))
            await asyncio.gather(*(one.lost() for one in clients))


FLOODS = {"acks": "43[]", "acks with an id": "437[]", "pongs": "3", "upgrades": "5"}


@lanes
@pytest.mark.parametrize("flood", FLOODS)
async def test_acks_and_pongs_nobody_asked_for(lane, flood, monkeypatch):
    """A client that floods with answers to nothing is disconnected at the limit of events."""
    monkeypatch.setattr(bucket, "PATIENCE", 0.5)
    async with measured(lane, {"events_per_second": 20.0}) as node:
        async with raw(node) as one:
            await one.say(*([FLOODS[flood]] * 500))
            assert await one.closed() == 1008
        await eventually(lambda: node.reasons == ["rate limit"])


async def test_jsonp_is_limited(monkeypatch):
    """A flood by JSONP is held up and disconnected as any other."""
    monkeypatch.setattr(bucket, "PATIENCE", 0.5)
    async with measured(limits={"events_per_second": 20.0}) as node, raw_polling(node) as one:
        await one.post("40")
        await one.get()
        one.url += "&j=0"
        assert await one.post(aiohttp.FormData({"d": "\x1e".join(['42["flood"]'] * 500)})) == 200
        await eventually(lambda: node.reasons == ["rate limit"])
        assert sum(entry[0] == "flood" for entry in node.log) < 100


async def test_the_last_poll_of_jsonp():
    """A JSONP client whose session was closed between two polls hears of it as JSONP."""
    async with lane_node() as node, raw_polling(node) as one:
        await one.post("40")
        await one.get()
        one.url += "&j=7"
        assert await one.post(aiohttp.FormData({"d": '42["a",NaN]'})) == 200
        assert await one.get() == ['___eio[7]("1");']


@pytest.mark.parametrize("body", ["d=", "x=1", "d=40&d=40", "d=9", "d=%ff"])
async def test_malformed_jsonp(body):
    """A JSONP POST that is none ends its session and logs no traceback; one too large is refused."""
    async with lane_node() as node, raw_polling(node) as one:
        one.url += "&j=0"
        assert await one.post("d=" + "x" * node.sio.eio.max_http_buffer_size) == 413
        assert await one.post(body) == 200
        assert await status(one) == 400


async def test_a_burst_of_forty_events(way, monkeypatch, caplog):
    """Forty events that come at once are all handled and acked, on every server and transport."""
    events = [f'42{number}["a",{number}]' for number in range(40)]
    async with asyncio.timeout(15), node_for(way, monkeypatch) as node, way_in(node, way) as one:
        await one.send(*events)
        answers = [await one.next() for _ in events]
        assert sorted(answers) == sorted(f"43{number}[{number}]" for number in range(40))
        assert sorted(entry[2] for entry in node.log if entry[0] == "a") == [*range(40)]
    assert [record.message for record in caplog.records if record.exc_info] == []
