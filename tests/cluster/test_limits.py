"""Each limit on a real node, over lanes, ordinary WebSockets and polling."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest

from socketio_cluster import TooManyRooms
from socketio_cluster.cluster.lane.paced_lane import PacedLane
from socketio_cluster.cluster.limits import bucket
from tests.bare_sessions import raw_polling
from tests.cluster.lane_helpers import raw
from tests.cluster.measured import LANES, knock, measured
from tests.harness import client, eventually, three_nodes

lanes = pytest.mark.parametrize("lane", LANES.values(), ids=LANES)
transports = pytest.mark.parametrize("transport", ["websocket", "polling"])
REFUSED = "socketio_connections_refused_total"


@lanes
@transports
async def test_full(lane, transport):
    """A full node answers a handshake with 503 and Retry-After, and lets the next in when one has left."""
    async with measured(lane, {"max_connections": 2}) as node, aiohttp.ClientSession() as http:
        async with client(node), client(node, transports=["polling"]):
            status, headers, _ = await knock(node.url, transport, http)
            assert (status, headers["Retry-After"]) == (503, "10")
            assert node.value(REFUSED, reason="full") == 1
            assert node.limiter.connections() == 2
        await eventually(lambda: node.limiter.connections() == 0)
        status, _, _ = await knock(node.url, transport, http)
        assert status in (200, 101)
        assert node.value(REFUSED, reason="full") == 1


@lanes
async def test_never_more_than_the_limit(lane):
    """Of many handshakes at the same time exactly as many are let in as there is room for."""
    async with measured(lane, {"max_connections": 7}) as node, aiohttp.ClientSession() as http:
        answers = await asyncio.gather(*(knock(node.url, "websocket", http) for _ in range(40)))
        statuses = [status for status, _, _ in answers]
        assert (statuses.count(101), statuses.count(503)) == (7, 33)
        assert node.value("socketio_connections_accepted_total", transport="websocket") == 7


@lanes
async def test_upgrade_is_no_new_connection(lane):
    """A polling client of a full node can upgrade, and stays one connection."""
    async with measured(lane, {"max_connections": 1, "connects_per_second": 1.0}) as node:
        async with client(node, transports=["polling", "websocket"]) as one:
            await eventually(lambda: node.value("socketio_connections", transport="websocket") == 1)
            assert node.limiter.connections() == 1
            assert await one.call("echo", 1) == [1]


@lanes
@transports
async def test_connects_per_second(lane, transport):
    """Above the rate handshakes get 503 and Retry-After: 1, and soon after there is room again."""
    async with measured(lane, {"connects_per_second": 3.0}) as node, aiohttp.ClientSession() as http:
        began = time.monotonic()
        answers = await asyncio.gather(*(knock(node.url, transport, http) for _ in range(30)))
        took = time.monotonic() - began
        refused = [headers for status, headers, _ in answers if status == 503]
        assert 3 <= 30 - len(refused) <= 3 + 3 * took
        assert {headers["Retry-After"] for headers in refused} == {"1"}
        assert node.value(REFUSED, reason="rate") == len(refused)
        while (await knock(node.url, transport, http))[0] == 503:
            assert time.monotonic() - began < 20
            await asyncio.sleep(0.1)


@lanes
async def test_payload_over_websocket(lane):
    """A message over the limit closes its WebSocket with 1009, and the handlers hear why; others go on."""
    async with measured(lane, {"max_payload": 2000}) as node, client(node) as other:
        async with raw(node) as one:
            assert '"maxPayload":2000' in one.opened
            await one.say('421["fits","' + "x" * 1900 + '"]')
            assert (await one.text()).startswith('431["xxx')
            await one.say('421["no","' + "€" * 700 + '"]')
            assert await one.closed() == 1009
        await eventually(lambda: node.reasons == ["payload too large"])
        assert await other.call("echo", 1) == [1]
        assert node.value("socketio_disconnects_total", reason="payload too large") == 1


async def test_payload_over_polling():
    """A body over the limit is answered with 413, and the session goes on."""
    async with measured(limits={"max_payload": 2000}) as node, raw_polling(node) as one:
        assert await one.post("40") == 200
        await one.get()
        assert await one.post('42["big","' + "x" * 2000 + '"]') == 413
        assert await one.post('421["small"]') == 200
        assert await one.get() == ["431[]"]


@lanes
@transports
async def test_events_per_second(lane, transport):
    """Events over the rate wait their turn: none is lost, their order stays, and others are not held up."""
    async with measured(lane, {"events_per_second": 40.0}) as node:
        # The first event of all, the connect packet, counts too.
        async with client(node, transports=[transport]) as one, client(node) as other:
            began = time.monotonic()
            for number in range(119):
                await one.emit("n", number)
            assert await other.call("echo", 1) == [1]
            assert handled(node) != [*range(119)]
            await eventually(lambda: handled(node) == [*range(119)], 15)
            assert time.monotonic() - began > 0.9  # 80 at once, 40 in the second after
            assert node.value("socketio_rate_limited_total") > 0
            assert node.value("socketio_disconnects_total", reason="rate limit") == 0


def handled(node):
    """The numbers that have come, in their order."""
    return [entry[2] for entry in node.log if entry[0] == "n"]


@lanes
async def test_flood_over_websocket(lane, monkeypatch):
    """A client that never stops sending too much is disconnected with 1008 and a reason."""
    monkeypatch.setattr(bucket, "PATIENCE", 0.5)
    async with measured(lane, {"events_per_second": 20.0}) as node, client(node) as other:
        async with raw(node) as one:
            await one.say(*(['42["flood"]'] * 500))
            assert await one.closed() == 1008
        await eventually(lambda: node.reasons == ["rate limit"])
        assert sum(entry[0] == "flood" for entry in node.log) < 100
        assert await other.call("echo", 1) == [1]
        assert node.value("socketio_disconnects_total", reason="rate limit") == 1


async def test_flood_over_polling(monkeypatch):
    """A polling client that never stops sending too much loses its session."""
    monkeypatch.setattr(bucket, "PATIENCE", 0.5)
    async with measured(limits={"events_per_second": 20.0}) as node, raw_polling(node) as one:
        await one.post("40")
        await one.get()
        assert await one.post("\x1e".join(['42["flood"]'] * 500)) == 200
        assert await one.get() == ["1"]
        await eventually(lambda: node.reasons == ["rate limit"])
        assert sum(entry[0] == "flood" for entry in node.log) < 100


@lanes
async def test_acks_and_attachments_are_no_events(lane):
    """A client may answer as many emits as it gets, and an event with attachments is one event."""
    async with measured(lane, {"events_per_second": 1.0}) as node, client(node) as one:
        answers = [await node.sio.call("ask", number, to=one.sid) for number in range(50)]
        assert answers == [*range(50)]
        assert await one.call("echo", [b"a", b"b", b"c", b"d"]) == [[b"a", b"b", b"c", b"d"]]
        assert node.value("socketio_rate_limited_total") == 0


@lanes
async def test_nothing_is_asked_without_limits(lane):
    """A node without limits has no pacer, no admission, and plain lanes."""
    async with measured(lane) as node, client(node):
        assert node.manager.host.layers["limits"] == (None, None)
        if lane:
            assert [isinstance(one, PacedLane) for one in node.hooks.lanes.values()] == [False]


async def test_rooms_per_client():
    """A client in as many rooms as it may be enters no other, until it has left one."""
    async with measured(limits={"rooms_per_client": 2}) as node, client(node) as one:
        await node.sio.enter_room(one.sid, "a")
        await node.sio.enter_room(one.sid, "b")
        await node.sio.enter_room(one.sid, "b")
        with pytest.raises(TooManyRooms, match=r"is in 2 rooms, the limit \(rooms_per_client\)"):
            await node.sio.enter_room(one.sid, "c")
        assert set(node.sio.rooms(one.sid)) == {one.sid, "a", "b"}
        await node.sio.leave_room(one.sid, "a")
        await node.sio.enter_room(one.sid, "c")
        assert node.value("socketio_rooms_refused_total") == 1


async def test_rooms_of_a_client_elsewhere(local_url, prefix):
    """The node of the client judges, and the caller on another node gets its words as a ValueError."""
    async with three_nodes(local_url, prefix, count=2, rooms_per_client=1) as nodes:
        async with client(nodes[0]) as one:
            await nodes[1].sio.enter_room(one.sid, "a")
            with pytest.raises(ValueError, match="is in 1 rooms, the limit"):
                await nodes[1].sio.enter_room(one.sid, "b")
            assert nodes[0].manager.stats.rooms_refused == 1
