"""A server with one lane and no network: what comes is given to the lane, what is written is kept."""

from __future__ import annotations

import asyncio
import json
import re
from unittest.mock import patch

import socketio
from engineio.async_socket import AsyncSocket

from socketio_cluster import ClusterManager
from socketio_cluster.cluster.lane.connection import Lane
from socketio_cluster.cluster.lane.frames import TEXT
from socketio_cluster.cluster.lane.install import Lanes
from socketio_cluster.cluster.metrics.watch import Watching
from socketio_cluster.cluster.stack import Stack
from socketio_cluster.manager.stats import Histogram
from tests.cluster.lane_helpers import client_frame
from tests.harness import eventually


class Wire:
    """A transport that keeps what is written."""

    def __init__(self):
        self.written = []
        self.closed = False

    def write(self, data):
        self.written.append(bytes(data))

    def close(self):
        self.closed = True

    abort = close

    def is_closing(self):
        return self.closed

    def get_write_buffer_size(self):
        return 0

    def pause_reading(self):
        pass

    resume_reading = pause_reading


class OneLane:
    """A server with one lane, which goes the short way where it can, or never."""

    def __init__(self, *, short):
        self.manager = ClusterManager()
        self.sio = socketio.AsyncServer(async_mode="asgi", client_manager=self.manager)
        self.calls = []
        for handler in (self.ask, self.plain, self.slow, self.fail):
            self.sio.on(handler.__name__, handler)
            self.manager.stats.handler_seconds[handler.__name__] = Histogram()
        own, kind = Lane.data_received, Lane

        def in_python(lane, data):
            self.compiled[-1] = False
            own(lane, data)

        with patch.object(Lane, "data_received", in_python):
            Stack([Watching(), Lanes()]).install([self.manager])
            group = self.manager.host.layers["lane"]
            if short:
                kind = group.lane_class
            elif group.lane_class is not Lane:
                kind = type("GeneralLane", (group.lane_class,), {"__slots__": (), "data_received": in_python})
        take = group.short if short else lambda lane, text: False
        self.short = []
        """Whether each message went the short way."""
        self.compiled = []
        """Whether each message went it in C."""

        def noticed(lane, text):
            self.short.append(take(lane, text))
            return self.short[-1]

        group.short = noticed
        self.wire = Wire()
        socket = AsyncSocket(self.sio.eio, "client")
        self.sio.eio.sockets["client"], self.sio.environ["client"] = socket, {}
        self.lane = kind(self.wire, set(), socket, group)
        group.switch(self.lane)

    async def ask(self, sid, *data):
        self.calls.append(("ask", data))
        return data[0] if len(data) == 1 else data

    def plain(self, sid, *data):
        self.calls.append(("plain", data))

    async def slow(self, sid):
        await asyncio.sleep(0)
        self.calls.append(("slow", ()))
        return "slow"

    async def fail(self, sid):
        raise ValueError

    async def receive(self, wire):
        """Take some bytes, in no task, as from a transport."""
        done = asyncio.get_running_loop().create_future()

        def read():
            kind = type(self.lane)
            self.compiled.append(kind is not Lane and "data_received" in vars(kind))
            self.lane.data_received(wire)
            if self.compiled[-1]:
                self.short.append(True)
            done.set_result(None)

        asyncio.get_running_loop().call_soon(read)
        await done

    async def say(self, text):
        """Send a message in a frame of its own; return when all that it causes has happened."""
        await self.take(client_frame(TEXT, text))

    async def take(self, wire):
        """Take some bytes; return when all that they cause has happened."""
        await self.receive(wire)
        stats = self.manager.stats
        await eventually(lambda: not (self.lane._busy or stats.handlers))
        for _ in range(3):
            await asyncio.sleep(0)

    async def connect(self):
        await self.say(b"40")
        await eventually(lambda: self.wire.written)
        self.sid = json.loads(self.wire.written[0].partition(b"40")[2])["sid"]
        await self.say(b'42["plain"]')  # the lane knows its client from now on
        for notes in (self.calls, self.wire.written, self.short, self.compiled):
            notes.clear()

    def counts(self):
        stats = self.manager.stats
        seen = {name: sum(times.counts) for name, times in stats.handler_seconds.items()}
        return stats.events, seen, stats.received_bytes, stats.sent_bytes, stats.handlers

    @property
    def seen(self):
        """What all that was said has caused, but for what is made at random."""
        written = [re.sub(rb'"sid":"[^"]+"', b"sid", wire) for wire in self.wire.written]
        return self.calls, written, self.wire.closed, self.counts()
