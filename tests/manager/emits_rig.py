"""A node whose emits go in C or in Python, and all that they change."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
import socketio

from socketio_cluster import ClusterManager
from socketio_cluster.manager.clients.client import Client
from socketio_cluster.manager.native.library import EMIT, load

there = pytest.mark.skipif(load(EMIT) is None, reason="it is not compiled here")

NODE = "nodenode"
ROOM, EMPTY, SID = "red", "empty", f"{NODE}{'s' * 12}"


class Emits:
    """A node that knows all others, with two clients in a room, whose batch is always on its way."""

    def __init__(self, *, compiled=True, recovery=False, **options):
        self.compiled = compiled
        if recovery:
            options["recovery_seconds"] = 60
        self.manager = manager = ClusterManager("memory://emits", prefix="p", **options)
        self.sio = socketio.AsyncServer(async_mode="asgi", client_manager=manager)
        self.node = node = manager.node
        self.written = []
        self.went = []
        """Whether each emit went the short way."""
        node.id = node._first.publisher._origin = NODE
        for at, sid in enumerate((SID, f"{NODE}{'t' * 12}")):
            client = Client(sid, sid[::-1], "/", lambda outgoing, at=at: self.write(at, outgoing), 1000)
            manager.members.add(client)
            manager.members.enter(client, ROOM)
            client.connected(1.0)

    def write(self, at, outgoing):
        encoded = outgoing.encoded
        self.written.append((at, encoded, outgoing.rooms, outgoing.number))

    async def start(self):
        manager, node = self.manager, self.node
        node.start = lambda wait: asyncio.sleep(0)
        publisher, first = node._first.publisher, node._first
        first.introduction.over = True
        first.link.batches._direct, first.link.batches._busy = object(), True
        first.interest.want(node.channels.room("/", ROOM))
        first.interest.want(node.channels.namespace("/"))
        await manager.start()
        short = manager._short_emit
        assert short is not None
        manager._short_emit = self.noticed(short) if self.compiled else None
        publisher._link = first.link
        return self

    def noticed(self, short):
        def call(*args):
            result = short(*args)
            self.went.append(result is not None)
            return result

        return call

    async def emit(self, *args, **options):
        """Emit, and return the type and the text of what it raises."""
        try:
            await asyncio.wait_for(self.sio.emit(*args, **options), 5)
        except Exception as error:
            return type(error), str(error)
        return None

    @property
    def seen(self):
        """All that emits have changed, but for times."""
        manager, first = self.manager, self.node._first
        publisher, backlog, stats = first.publisher, first.publisher.backlog, manager.stats
        books = backlog._bytes, backlog.reached, backlog.handed, publisher.number, manager.backpressure._turn
        counts = stats.emitted, stats.delivered, Counter(stats.published), stats.dropped
        recovery = manager.recovery
        own = ()
        if recovery is not None:
            follower = recovery.follower
            own = [(without_time(raw), header.number, message) for raw, (header, message) in posted(follower)]
            own += [follower.coming, follower.newest, follower._own_events._size]
        entries = [(e.number, e.channels, without_time(e.payload), e.recorded) for e in backlog._unsent]
        return entries, books, counts, own, self.written, first.link.batches._more


def posted(follower):
    return follower._own_events._posted


def without_time(raw):
    return raw[:18] + raw[26:]


async def both(recovery=False, **options):
    """Return two nodes, whose emits go in C and in Python."""
    return [await Emits(compiled=way, recovery=recovery, **options).start() for way in (True, False)]
