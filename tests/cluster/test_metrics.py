"""What a node counts is what happened, over lanes, ordinary WebSockets and polling."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest
import socketio

from socketio_cluster.cluster.forward.forwarded_request import ForwardStats
from socketio_cluster.cluster.http.protocol import HttpStats
from socketio_cluster.cluster.metrics.lag import Worst
from socketio_cluster.cluster.metrics.watch import MOST_EVENTS
from socketio_cluster.cluster.metrics.worker import Metrics
from tests.cluster.lane_helpers import raw
from tests.cluster.measured import LANES, measured, read
from tests.harness import Refused, client, eventually, three_nodes

lanes = pytest.mark.parametrize("lane", LANES.values(), ids=LANES)


@lanes
async def test_connections(lane):
    """Connections are counted by transport while they last, what they began with and ended by for good."""
    async with measured(lane) as node:
        async with client(node), client(node, transports=["polling"]):
            async with client(node, transports=["polling", "websocket"]):
                await eventually(lambda: node.value("socketio_connections", transport="websocket") == 2)
                assert node.value("socketio_connections", transport="polling") == 1
                assert node.value("socketio_clients") == 3
            await eventually(lambda: node.value("socketio_clients") == 2)
        await eventually(lambda: node.value("socketio_connections", transport="websocket") == 0)
        await eventually(lambda: node.value("socketio_connections", transport="polling") == 0)
        accepted = "socketio_connections_accepted_total"
        assert [node.value(accepted, transport=one) for one in ("polling", "websocket")] == [2, 1]
        assert len(node.reasons) == 3
        for reason in set(node.reasons):
            assert node.value("socketio_disconnects_total", reason=reason) == node.reasons.count(reason)


@lanes
async def test_events(lane):
    """Events in, emits, deliveries, acks and rooms are counted one by one; handlers are timed by event."""
    async with measured(lane) as node:

        async def slow(sid):
            await asyncio.sleep(0.03)

        node.sio.on("slow", slow)
        async with client(node) as one, client(node, transports=["polling"]) as two:
            assert await node.sio.call("ask", 7, to=one.sid) == 7
            assert await node.sio.call("ask", 8, to=two.sid) == 8
            for each in (one, two):
                await each.call("slow")
                await each.call("echo", 1)  # handled by the handler for every event
                await node.sio.enter_room(each.sid, "room")
            await node.sio.enter_room(one.sid, "other room")
            await node.sio.emit("n", 1, room="room")
            for each, answer in ((one, 7), (two, 8)):
                assert await each.next("ask") == [answer]
                assert await each.next("n") == [1]
            assert node.value("socketio_rooms") == 2
        assert node.value("socketio_events_received_total") == 4
        assert node.value("socketio_events_sent_total") == 3
        assert node.value("socketio_deliveries_total") == 4
        assert node.value("socketio_ack_seconds_count") == 2
        await eventually(lambda: node.value("socketio_rooms") == 0)
        assert node.value("socketio_handler_seconds_count", event="slow") == 2
        assert node.value("socketio_handler_seconds_sum", event="slow") >= 0.06
        assert node.value("socketio_handler_seconds_bucket", event="slow", le="0.025") == 0
        assert node.value("socketio_handler_seconds_bucket", event="slow", le="+Inf") == 2
        assert node.value("socketio_handler_seconds_count", event="other") == 2


@lanes
async def test_failing_handler_is_timed(lane):
    """A handler that raises is counted and timed like any other."""
    async with measured(lane) as node, client(node) as one:

        async def fail(sid):
            raise RuntimeError("on purpose")

        node.sio.on("fail", fail)
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)  # it is reported there
        await one.emit("fail")
        await eventually(lambda: node.value("socketio_handler_seconds_count", event="fail") == 1)


@lanes
async def test_labels_are_bounded(lane):
    """Names that clients make up share one label; handlers have their own, those of classes too."""

    class Shop(socketio.AsyncNamespace):
        async def on_buy(self, sid):
            return "bought"

    async with measured(lane) as node:
        node.sio.register_namespace(Shop("/shop"))
        async with client(node) as one, client(node, namespace="/shop") as buyer:
            for number in range(3):
                await one.call(f"made up {number}")
            assert await buyer.call("buy") == ["bought"]
            for number in range(MOST_EVENTS + 5):
                node.sio.on(f"event {number}", lambda sid: 1)
                await one.call(f"event {number}")
        page = read(node.metrics.exposition())
        events = {dict(labels)["event"] for name, labels in page if name == "socketio_handler_seconds_count"}
        assert "made up 1" not in events
        assert {"other", "buy", "event 0"} <= events
        assert len(events) == MOST_EVENTS
        assert node.value("socketio_events_received_total") == MOST_EVENTS + 9


@lanes
async def test_bytes(lane):
    """Bytes in and out are those of the packets, give or take the frames' headers."""
    async with measured(lane) as node, client(node) as one, client(node, transports=["polling"]) as two:
        for each in (one, two):
            before = [node.value(f"socketio_{way}_bytes_total") for way in ("received", "sent")]
            await each.call("echo", "x" * 10_000)
            after = [node.value(f"socketio_{way}_bytes_total") for way in ("received", "sent")]
            for early, late in zip(before, after, strict=True):
                assert 10_000 <= late - early <= 10_200


@lanes
async def test_refusals(lane):
    """Who is not let in is counted by the reason: bad requests, and clients that the application refuses."""
    async with measured(lane) as node, aiohttp.ClientSession() as http:

        async def refuse(sid, environ, auth):
            raise socketio.exceptions.ConnectionRefusedError("not you")

        node.sio.on("connect", refuse, namespace="/chat")
        with pytest.raises(Refused, match="not you"):
            async with client(node, namespace="/chat"):
                pass
        node.sio.on("connect", lambda sid, environ, auth: False)
        with pytest.raises(Refused):
            async with client(node):
                pass
        async with http.get(f"{node.url}/socket.io/?EIO=3&transport=polling") as answer:
            assert answer.status == 400
        refused = "socketio_connections_refused_total"
        assert node.value(refused, reason="application") == 2
        assert node.value(refused, reason="protocol") == 1


@lanes
async def test_queue_and_slow_consumers(lane):
    """What a client does not read shows as queued bytes, and its end as a slow consumer's."""
    async with measured(lane, client_bytes=1 << 18) as node:
        async with raw(node, receive_buffer=4096) as one:
            peak = 0
            for _ in range(100):
                if node.value("socketio_slow_consumers_total"):
                    break
                await node.sio.emit("n", "x" * 60_000, room=one.sid)
                await asyncio.sleep(0)
                peak = max(peak, node.value("socketio_queued_bytes"))
            assert peak > 100_000
            await eventually(lambda: node.value("socketio_slow_consumers_total") == 1)
            await eventually(lambda: node.value("socketio_disconnects_total", reason="slow consumer") == 1)
        await eventually(lambda: node.value("socketio_queued_bytes") == 0)


@pytest.mark.alone
async def test_loop_lag():
    """An event loop that was blocked shows in its lag."""
    async with measured() as node:
        assert node.value("socketio_node_loop_lag_seconds") < 0.7
        time.sleep(1)  # noqa: ASYNC251 - what the metric is for
        await eventually(lambda: node.value("socketio_node_loop_lag_seconds") > 0.7)


def test_worst_is_forgotten():
    """The largest value is remembered for one window at least and for two at most."""
    worst = Worst(10.0)
    for value, now, largest in (
        (5, 100, 5),
        (1, 109, 5),
        (1, 111, 5),
        (1, 119, 5),
        (2, 121, 2),
        (1, 200, 1),
    ):
        worst.note(value, now)
        assert worst.value == largest


async def test_process():
    """CPU time and memory are those of this process."""
    async with measured() as node:
        assert abs(node.value("process_cpu_seconds_total") - time.process_time()) < 1
        assert node.value("process_resident_memory_bytes") > 10_000_000


async def test_bus(redis_server, prefix):
    """Two nodes on Redis count what they say to each other, and what happens while it is away."""
    async with three_nodes(redis_server.url, prefix, count=2, heartbeat=0.4, dead_after=2.0) as nodes:
        pages = [
            Metrics(f"{n}", lambda one=one: [one.manager], ForwardStats(), HttpStats(), bool)
            for n, one in enumerate(nodes)
        ]

        def value(number, name, **labels):
            return read(pages[number].exposition()).get((name, tuple(sorted(labels.items()))))

        async with client(nodes[0]), client(nodes[1]) as far:
            assert [value(n, "socketio_bus_up") for n in (0, 1)] == [1, 1]
            assert value(0, "socketio_nodes", state="alive") == 2
            await nodes[0].sio.emit("n", 1)
            await far.next("n")
            assert value(0, "socketio_envelopes_published_total", kind="Emit") == 1
            assert value(1, "socketio_envelopes_received_total", kind="Emit") == 1
            assert 0 < value(0, "socketio_bus_lag_seconds") < 2
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(None, redis_server.stop)
            try:
                await eventually(lambda: value(0, "socketio_bus_up") == 0)
                await nodes[0].sio.emit("n", "x" * 5000)
                assert value(0, "socketio_bus_buffered_bytes") > 5000
            finally:
                await loop.run_in_executor(None, redis_server.start)
            assert await far.next("n", 15) == ["x" * 5000]
            await eventually(lambda: value(0, "socketio_bus_buffered_bytes") == 0)
            assert value(0, "socketio_bus_reconnects_total") >= 1
            nodes[1].manager.drain()
            await eventually(lambda: value(0, "socketio_nodes", state="draining") == 1)
            assert value(0, "socketio_nodes", state="alive") == 1
        for page in pages:
            page.close()
