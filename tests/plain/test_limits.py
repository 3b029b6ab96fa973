"""The limits and the drain of `socketio-cluster serve` hold for plain clients as for the others."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest
import websockets

from socketio_cluster.cluster.cli.options import Limits
from socketio_cluster.cluster.drain.goodbye import say_goodbye
from socketio_cluster.cluster.limits import bucket
from socketio_cluster.cluster.limits.limits import Limiter
from tests.harness import client, eventually
from tests.plain.plain import bare, plain, plain_nodes


@contextlib.asynccontextmanager
async def limited(bus_url, prefix, **limits):
    """A node with these limits."""

    def limit(node):
        node.layers.append(Limiter(Limits(**limits), lambda: [node.manager]))

    async with plain_nodes(bus_url, prefix, count=1, configure=limit) as [node]:
        yield node


async def test_full(local_url, prefix):
    """Plain clients count as connections, and a full node answers their handshake with 503."""
    async with limited(local_url, prefix, max_connections=2) as node:
        async with plain(node), client(node):
            with pytest.raises(websockets.InvalidStatus) as refused:
                await bare(node).__aenter__()
            assert refused.value.response.status_code == 503
            assert refused.value.response.headers["Retry-After"] == "10"
        await eventually(lambda: node.manager.stats.connections == 0)
        async with plain(node):
            pass


async def test_events_per_second(local_url, prefix, monkeypatch):
    """Who sends too many events waits, loses none, and is disconnected when it goes on."""
    monkeypatch.setattr(bucket, "PATIENCE", 1.0)
    async with limited(local_url, prefix, events_per_second=40.0) as node, plain(node) as one:
        await asyncio.gather(*(one.say(event="n", data=number) for number in range(120)))
        await eventually(lambda: len(node.log) == 121)
        assert [entry[2] for entry in node.log[1:]] == list(range(120))
        assert node.manager.stats.rate_limited > 0
        await asyncio.gather(*(one.say(event="n", data=number) for number in range(120, 400)))
        assert await one.closed() == (1008, "too many events")
        await eventually(lambda: node.log[-1] == ("disconnect", one.sid, "rate limit"))


async def test_bytes_are_counted(local_url, prefix):
    """What a plain client sends and gets is part of the node's traffic."""
    async with limited(local_url, prefix) as node, plain(node) as one:
        stats = node.manager.stats
        received, sent = stats.received_bytes, stats.sent_bytes
        await one.ask(event="say", data="x" * 1000)
        assert 1000 < stats.received_bytes - received < 1100
        assert 1000 < stats.sent_bytes - sent < 1100


async def test_text_counts_in_bytes(local_url, prefix):
    """A letter that has two bytes in UTF-8 counts twice, in the traffic and in the limit of a message."""
    async with limited(local_url, prefix, max_payload=1000) as node, plain(node) as one:
        received = node.manager.stats.received_bytes
        await one.ws.send(json.dumps({"event": "say", "data": "ü" * 400, "ack": 1}, ensure_ascii=False))
        assert (await one.hear())["ack"] == 1
        assert 800 < node.manager.stats.received_bytes - received < 900
        await one.ws.send(json.dumps({"event": "say", "data": "ü" * 600}, ensure_ascii=False))
        assert await one.closed() == (1009, "a message has at most 1000 bytes")
        await eventually(lambda: node.log[-1] == ("disconnect", one.sid, "payload too large"))


async def test_drained(local_url, prefix):
    """A node that lets a plain client go says 1012, after what waits for it."""
    async with plain_nodes(local_url, prefix, count=1) as [node], plain(node) as one:
        [socket] = node.sio.eio.sockets.values()
        await node.sio.emit("last", 1)
        await say_goodbye(node.manager, socket, "draining")
        assert await one.hear() == {"event": "last", "data": 1}
        assert await one.closed() == (1012, "draining")
        await eventually(lambda: node.log[-1] == ("disconnect", one.sid, "draining"))
