"""What was recorded on the bus and is published again harms nobody."""

from __future__ import annotations

import asyncio
import contextlib
import time

from socketio_cluster.manager.bus.broker import Publication
from socketio_cluster.manager.bus.channels import Channels
from socketio_cluster.manager.bus.envelope import Codec, Header
from socketio_cluster.manager.bus.messages import Emit
from socketio_cluster.manager.bus.registry import open_broker
from tests.harness import client, eventually, fence, three_nodes

QUICK = {"heartbeat": 0.4, "dead_after": 2.0, "secret": "correct horse battery staple"}


class Recorder:
    """Somebody on the bus who keeps all that is said to everybody, and can say it again."""

    def __init__(self, broker, channels):
        self._broker = broker
        self._channels = channels
        self.heard = []

    async def record(self):
        while True:
            self.heard += [delivery.payload for delivery in await self._broker.receive()]

    async def play(self, payloads):
        await self._broker.publish([Publication(self._channels, payload) for payload in payloads])


@contextlib.asynccontextmanager
async def recorder(url, prefix):
    names = Channels(prefix)
    channels = (names.everyone, names.namespace("/"))
    broker = await open_broker(url)
    await broker.subscribe(channels)
    one = Recorder(broker, channels)
    recording = asyncio.create_task(one.record())
    try:
        yield one
    finally:
        recording.cancel()
        await asyncio.wait([recording])
        await broker.close()


def words(prefix, payloads, of):
    """Of recorded envelopes those of one node."""
    codec = Codec(prefix, QUICK["secret"])
    return [raw for raw in dict.fromkeys(payloads) if codec.header(raw).origin == of]


async def test_a_node_that_has_left(bus_url, prefix):
    """Its events are not delivered again, and its heartbeats do not bring it back, not even all in order."""
    async with three_nodes(bus_url, prefix, **QUICK) as nodes, recorder(bus_url, prefix) as tape:
        async with client(nodes[1]) as one:
            departed = nodes[0].manager.node_id
            await nodes[0].sio.emit("n", 1)
            assert await one.next("n") == [1]
            count = len(tape.heard)
            await eventually(lambda: len(words(prefix, tape.heard[count:], departed)) >= 2)
            await nodes[0].manager.close()
            await eventually(lambda: departed not in nodes[1].manager.nodes())
            repeats = nodes[1].manager.stats.repeats
            again = words(prefix, tape.heard, departed)
            await tape.play(again)
            await eventually(lambda: nodes[1].manager.stats.repeats >= repeats + len(again))
            assert departed not in nodes[1].manager.nodes()
            await fence(nodes[2], one)


async def test_a_batch_that_ends_in_a_goodbye_comes_again(bus_url, prefix):
    """The bus took it and broke before it said so: it is sent again, and counts once."""
    async with three_nodes(bus_url, prefix, count=2, **QUICK) as nodes, recorder(bus_url, prefix) as tape:
        async with client(nodes[1]) as one:
            departed = nodes[0].manager.node_id
            for number in range(10):
                await nodes[0].sio.emit("n", number)
            await nodes[0].manager.close()
            assert [await one.next("n") for _ in range(10)] == [[number] for number in range(10)]
            await eventually(lambda: departed not in nodes[1].manager.nodes())
            repeats = nodes[1].manager.stats.repeats
            await tape.play(words(prefix, tape.heard, departed)[-11:])
            await eventually(lambda: nodes[1].manager.stats.repeats >= repeats + 11)
            await fence(nodes[1], one)


async def test_last_week(bus_url, prefix):
    """An envelope of a sender that nobody knows, signed and from last week, is refused."""
    async with three_nodes(bus_url, prefix, count=1, **QUICK) as nodes, client(nodes[0]) as one:
        event = Emit("/", None, [], [b'2["old"]'], text=True)
        raw = Codec(prefix, QUICK["secret"]).pack(Header("departed", 5, time.time() - 7 * 86400), event)
        async with recorder(bus_url, prefix) as tape:
            await tape.play([raw])
            await eventually(lambda: nodes[0].manager.stats.refused["old"] >= 1)
        await fence(nodes[0], one)


async def test_hellos(bus_url, prefix):
    """However often a recorded hello comes again, it brings out no answer."""
    async with recorder(bus_url, prefix) as tape, three_nodes(bus_url, prefix, **QUICK) as nodes:
        hellos = [raw for node in nodes for raw in words(prefix, tape.heard, node.manager.node_id)[:1]]
        assert len(hellos) == 3
        async with client(nodes[1]) as one:
            for number in range(50):
                await nodes[0].sio.emit("n", [number, "x" * 1000])
                await one.next("n")
            stats = [node.manager.stats for node in nodes]
            repeats = [one.repeats for one in stats]
            beats, start = [one.published["Beat"] for one in stats], time.monotonic()
            await tape.play(hellos * 20)
            await eventually(
                lambda: all(now.repeats >= before + 40 for now, before in zip(stats, repeats, strict=True))
            )
            due = (time.monotonic() - start) / QUICK["heartbeat"] + 1
            assert all(
                now.published["Beat"] <= before + due for now, before in zip(stats, beats, strict=True)
            )
