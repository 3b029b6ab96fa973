"""Secrets, strangers and rubbish on the bus."""

from __future__ import annotations

import asyncio
import os
import random
import time

from socketio_cluster.manager.bus.broker import Publication
from socketio_cluster.manager.bus.channels import Channels
from socketio_cluster.manager.bus.envelope import Codec, Header
from socketio_cluster.manager.bus.messages import Emit
from socketio_cluster.manager.bus.registry import open_broker
from tests.harness import Node, client, eventually, fence, three_nodes

SECRET = "correct horse battery staple"


async def publish(url, channels, *payloads):
    broker = await open_broker(url)
    try:
        await broker.publish([Publication(channels, payload) for payload in payloads])
    finally:
        await broker.close()


def emit(event):
    return Emit("/", None, [], [f'2["{event}"]'.encode()], text=True)


async def test_secret(bus_url, prefix):
    """With a secret nodes hear each other; unsigned, altered and foreign envelopes are refused."""
    async with three_nodes(bus_url, prefix, secret=SECRET, count=2) as nodes, client(nodes[1]) as one:
        await nodes[0].sio.emit("good", b"\x00\x01")
        assert await one.next("good") == [b"\x00\x01"]
        header = Header("stranger", 1, time.time())
        foreign = Codec("another", SECRET).pack(header, emit("bad"))
        altered = bytearray(Codec(prefix, SECRET).pack(header, emit("bad")))
        altered[-2] ^= 1
        unsigned = Codec(prefix).pack(header, emit("bad"))
        channels = (Channels(prefix).namespace("/"),)
        await publish(bus_url, channels, foreign, bytes(altered), unsigned)
        refused = nodes[1].manager.stats.refused
        await eventually(lambda: refused == {"signature": 2, "unsigned": 1})
        await fence(nodes[0], one)


async def test_a_secret_is_changed_in_three_rounds(bus_url, prefix):
    """Nodes that are restarted one by one with the next secrets hear each other all the time."""
    new = SECRET[::-1]
    async with three_nodes(bus_url, prefix, secret=SECRET, count=2) as nodes:
        for secret in (f"{SECRET}\n{new}", f"{new}\n{SECRET}", new):
            for at in range(2):
                await nodes[at].stop()
                nodes[at] = fresh = Node(bus_url, prefix, secret=secret)
                await fresh.start()
                both = {node.manager.node_id for node in nodes}
                await eventually(lambda both=both: all(both <= set(n.manager.nodes()) for n in nodes))
                async with client(nodes[0]) as one, client(nodes[1]) as other:
                    await fence(nodes[1], one)
                    await fence(nodes[0], other)
                assert not any(node.manager.stats.refused for node in nodes)


async def test_two_clusters(bus_url, prefix):
    """Two clusters on one bus hear nothing of each other."""
    async with (
        three_nodes(bus_url, prefix, count=2) as ours,
        three_nodes(bus_url, prefix + "2", count=2) as theirs,
    ):
        async with client(ours[1]) as one, client(theirs[1]) as other:
            await ours[0].sio.emit("ours")
            await theirs[0].sio.emit("theirs")
            assert await one.next("ours") == []
            assert await other.next("theirs") == []
            await fence(ours[0], one)
            await fence(theirs[0], other)
            assert len(ours[0].manager.nodes()) == 2


async def test_rubbish(bus_url, prefix):
    """Whatever is published to a node's channels, it goes on, and counts what it refused."""
    chance = random.Random(7)
    async with three_nodes(bus_url, prefix, count=2) as nodes, client(nodes[1]) as one:
        good = Codec(prefix).pack(Header("stranger", 1, time.time()), emit("never"))
        rubbish = [b"", b"\x01", os.urandom(26), good[:-1], good[:20], b"\xff" * 4000]
        rubbish += [good[:30] + chance.randbytes(chance.randrange(60)) for _ in range(300)]
        names = Channels(prefix)
        await publish(bus_url, (names.everyone, names.inbox(nodes[1].manager.node_id)), *rubbish)
        await eventually(lambda: sum(nodes[1].manager.stats.refused.values()) >= 300)
        await nodes[0].sio.emit("on", 1)
        assert await one.next("on") == [1]
        assert nodes[1].manager.ready


async def test_wrong_message_in_a_good_envelope(bus_url, prefix):
    """A well-formed message that makes no sense is passed over: unknown ids, packets that are not packets."""
    async with three_nodes(bus_url, prefix, count=2) as nodes, client(nodes[1]) as one:
        codec = Codec(prefix)
        from socketio_cluster.manager.bus.messages import Ack, Answer, Enter, Gone, Reply

        messages = [
            Ack(999, [b"zzz"], text=True),
            Gone(999),
            Reply(999, "x"),
            Enter(1, "/nowhere", "x" * 20, "red"),
            Answer(1, [b"rubbish"], 1, 2, 3, exact=True),
            Emit("/", ["nobody"], [], [], text=True),
            Emit("/", None, [], [], text=True),
            Emit("/", None, [], [b"\xff\xfe"], text=True),
        ]
        raw = [codec.pack(Header("stranger", n, time.time()), m) for n, m in enumerate(messages, 1)]
        await publish(bus_url, (Channels(prefix).inbox(nodes[1].manager.node_id),), *raw)
        await nodes[0].sio.emit("on", 1)
        assert await one.next("on") == [1]
        await asyncio.wait_for(nodes[0].sio.enter_room(one.sid, "red"), 5)


async def test_two_nodes_with_one_id(bus_url, prefix, monkeypatch, caplog):
    """Nodes whose process was copied while it ran are not ready and say why, until the other is gone."""
    monkeypatch.setattr("socketio_cluster.manager.bus.node.new_node_id", lambda: "samesame")
    async with three_nodes(bus_url, prefix, count=2, settled=False, heartbeat=0.4, dead_after=2.0) as nodes:
        await eventually(lambda: not any(node.manager.ready for node in nodes))
        assert "another node has this one's id, samesame" in caplog.text
        await nodes[1].stop()
        del nodes[1].serving
        await eventually(lambda: nodes[0].manager.ready)
