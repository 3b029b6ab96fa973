"""An event that goes the short way calls the same handlers and gets the same bytes as by the general way.

There are two short ways, in C and in Python.
"""

from __future__ import annotations

import asyncio
import json
from unittest.mock import patch

import pytest
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

pytestmark = pytest.mark.usefixtures("way")
SHORT = [
    b'42["ask"]',
    b'420["ask"]',
    b'427["ask","text"]',
    b'42007["ask",1]',
    b'42123456789012345["ask",[1.0,null,{"a":true}]]',
    b'421["ask",{"a":1,"a":2}]',
    '421["ask","ünï€🎉\u007f\\u0000\\ud83c\\udf89"]'.encode(),
    b'421["ask","' + b"x" * 117 + b'"]',
    b'421["ask","' + b"x" * 60_000 + b'"]',
    b'421["plain",1]',
    b'421["ask",1,2]',
    b'421["nobody",1]',
    b'421["slow"]',
    b'421["fail"]',
]
"""Messages that go the short way."""
GENERAL = [
    b"",
    b"4",
    b"42",
    b"421",
    b"42[",
    b"42[]",
    b"421[]",
    b"421[1]",
    b'421[["ask"]]',
    b'421["connect"]',
    b'421["disconnect",1]',
    b'42-1["ask"]',
    b'421 ["ask"]',
    '42\u0661["ask"]'.encode(),
    b'421234567890123456["ask"]',
    b'421["ask"]]',
    b'421["ask",NaN]',
    b'421["ask",1e999]',
    b'421["ask",' + b"9" * 100 + b"]",
    b'421["ask",' + b"9" * 101 + b"]",
    b'421["ask","\\ud800"]',
    b'421["ask",' + b"[" * 30_000 + b"]" * 30_000 + b"]",
    b'421["ask","' + b"x" * 70_000 + b'"]',
    b'42/other,1["ask"]',
    b'42/,1["ask"]',
    b"431[1]",
    b"3",
    b'421["ask","\xff"]',
]
"""Messages that do not."""


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


class Subject:
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
                kind = type("GeneralLane", (Lane,), {"__slots__": (), "data_received": in_python})
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

    async def receive(self, text):
        """Take a message in a frame of its own, in no task, as from a transport."""
        done = asyncio.get_running_loop().create_future()

        def read():
            self.compiled.append(type(self.lane) is not Lane)
            self.lane.data_received(client_frame(TEXT, text))
            if self.compiled[-1]:
                self.short.append(True)
            done.set_result(None)

        asyncio.get_running_loop().call_soon(read)
        await done

    async def say(self, text):
        """Send a message in a frame of its own; return when all that it causes has happened."""
        await self.receive(text)
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


async def outcome(text, *, short):
    """What a message causes, and whether it went the short way."""
    subject = Subject(short=short)
    await subject.connect()
    await subject.say(text)
    written = [wire.replace(subject.sid.encode(), b"sid") for wire in subject.wire.written]
    result = subject.calls, written, subject.wire.closed, subject.counts()
    return result, any(subject.short), any(subject.compiled)


@pytest.mark.parametrize("text", [*SHORT, *GENERAL], ids=lambda text: repr(text[:20]))
async def test_same_as_the_general_way(text, way):
    """Calls, answers and counts are the same, and only what should goes the short way."""
    troubles = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: troubles.append(context))
    result, short, compiled = await outcome(text, short=True)
    assert (result, False, False) == await outcome(text, short=False)
    assert short == (text in SHORT)
    assert compiled == (short and way == "compiled" and b"nobody" not in text)
    assert len(troubles) == (2 if b"fail" in text else 0)


async def test_client_with_a_waiting_handler():
    """While a handler of a client waits, its events go the general way, which counts the handlers."""
    subject = Subject(short=True)
    await subject.connect()
    go = asyncio.Event()

    @subject.sio.event
    async def wait(sid):
        await go.wait()

    for text in (b'421["wait"]', b'422["ask"]'):
        await subject.receive(text)
    assert subject.short == [True, False]
    go.set()
    await eventually(lambda: not subject.manager.stats.handlers)
    await subject.say(b'423["ask"]')
    assert subject.short == [True, False, True]


async def test_handler_that_is_changed():
    """A handler that is registered in the place of another one is called from then on."""
    subject = Subject(short=True)
    await subject.connect()
    await subject.say(b'421["ask"]')
    subject.sio.on("ask", subject.plain)
    await subject.say(b'421["ask",1]')
    assert subject.calls == [("ask", ()), ("plain", (1,))]
    assert subject.short == [True, True]


async def test_client_that_is_not_connected():
    """An event of a client that has not joined, or has left, calls no handler."""
    subject = Subject(short=True)
    await subject.say(b'421["ask"]')
    await subject.connect()
    await subject.say(b"41")
    await subject.say(b'421["ask"]')
    assert subject.calls == []


async def test_client_that_leaves_and_joins_again():
    """A lane that remembers the client of its last event sees that it left, and that another one joined."""
    subject = Subject(short=True)
    seen = []
    subject.sio.on("who", lambda sid: seen.append(sid))
    await subject.connect()
    first = subject.sid
    await subject.say(b'42["who"]')
    await subject.say(b"41")
    await subject.say(b'42["who"]')
    assert seen == [first]
    await subject.connect()
    for _ in range(2):
        await subject.say(b'42["who"]')
    assert subject.sid != first
    assert seen == [first, subject.sid, subject.sid]
    assert subject.short == [True, True]
