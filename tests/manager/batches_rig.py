"""What waits for a bus, and brokers of Redis on connections where the test is the server."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect

import pytest

from socketio_cluster.manager.brokers.redis import RedisBroker
from socketio_cluster.manager.brokers.redis_commands import publish_commands
from socketio_cluster.manager.brokers.redis_replies import RedisReplies
from socketio_cluster.manager.brokers.redis_url import read_settings
from socketio_cluster.manager.bus.backlog import Backlog, Entry
from socketio_cluster.manager.bus.batches import Batches
from socketio_cluster.manager.bus.broker import Publication
from socketio_cluster.manager.bus.outgoing import Outgoing
from socketio_cluster.manager.bus.sender import Sender
from socketio_cluster.manager.bus.window import Window
from socketio_cluster.manager.errors import BrokerError
from socketio_cluster.manager.native.library import BATCH, VARIABLE, load

there = pytest.mark.skipif(load(BATCH) is None, reason="it is not compiled here")


class Wire(asyncio.Transport):
    """A connection that notes what is written to it."""

    def __init__(self):
        super().__init__()
        self.written = []
        self.failing = None
        """What the next write raises."""
        self.ending = None
        """What the next write calls, before it returns."""

    def write(self, data):
        failing, self.failing = self.failing, None
        if failing is not None:
            raise failing
        self.written.append(bytes(data))
        ending, self.ending = self.ending, None
        if ending is not None:
            ending()

    def set_protocol(self, protocol):
        pass

    def abort(self):
        self.written.append("aborted")


class NotedBatches(Batches):
    """Notes what does not go the way in C."""

    def __init__(self, sender, sent):
        super().__init__(sender, sent)
        self.general = self.unusual = 0

    def _next(self, broker):
        self.general += 1
        super()._next(broker)

    def _answered(self, *args):
        self.unusual += 1
        super()._answered(*args)


class NotedWindow(Window):
    """Notes what is measured, with the step of the test in which it began and ended."""

    def __init__(self):
        self.steps = []
        """When each step began."""
        self.noted = []
        super().__init__()

    def open(self):
        self.noted.append("open")
        super().open()

    def took(self, count, began, ended):
        self.noted.append((count, self.step(began), self.step(ended)))
        super().took(count, began, ended)

    def step(self, moment):
        return bisect(self.steps, moment)


class Bench:
    """A sender with all its parts, but for the link: the test does what that would do."""

    def __init__(self, monkeypatch, *, compiled=True, max_bytes=10**8):
        monkeypatch.setenv(VARIABLE, "on" if compiled else "off")
        self.backlog = Backlog(max_bytes, 60.0)
        self.answers = []
        self.outgoing = Outgoing(
            self.backlog,
            lambda: self.answers.pop(0) if self.answers else None,
            lambda: Publication(("me",), b"mark"),
        )
        self.window = self.outgoing.window = NotedWindow()
        self.given_up = []
        self.sender = Sender(
            self.outgoing, lambda entry, why: self.given_up.append((entry.number, why)), time.monotonic
        )
        self.batches = NotedBatches(self.sender, self._sent)
        self.sent = 0
        """How often ``sent`` was called."""
        self.on_sent = None
        """What the next call of ``sent`` calls."""
        self.brokers = []
        self.ends = []
        """The errors that have ended brokers, and whether the sender moved on before."""
        self.running = None
        self.number = 0
        self.passed = 0.0
        """The time of the backlog, in seconds."""

    def _sent(self):
        self.sent += 1
        on_sent, self.on_sent = self.on_sent, None
        if on_sent is not None:
            on_sent()

    @property
    def broker(self):
        return self.brokers[-1]

    @property
    def wire(self):
        return self.broker._publisher._replies.transport

    @property
    def replies(self):
        return self.broker._publisher._replies

    def add(self, *payloads, channels=("p:a",), recorded=()):
        """Let entries wait, without waking anybody."""
        for payload in payloads:
            self.number += 1
            self.backlog.add(Entry(self.number, self.passed, channels, payload, recorded))

    async def post(self, *payloads, **options):
        """Let entries wait, and return when what can be written of them is."""
        self.add(*payloads, **options)
        self.batches.wake()
        await self.settle()

    async def settle(self):
        """Let everything happen that is due, and find out whether the broker has ended."""
        for _ in range(6):
            await asyncio.sleep(0)
        if self.running is not None and self.running.done():
            self.part(self.running.exception())

    async def join(self, limit=None, since=None):
        """Go on with a new broker, to which the test replies."""
        broker = RedisBroker(read_settings("redis://server:1"))
        broker.limit, broker._store.opened = limit, True
        broker._publisher._replies = RedisReplies(Wire(), "server:1")
        broker._publisher.on_end(broker.fail)
        await self.serve(broker, since)

    async def serve(self, broker, since=None):
        """Go on with this broker. See ``Sender.joined``."""
        self.brokers.append(broker)
        self.sender.joined(broker, since)
        self.running = asyncio.ensure_future(self.batches.run(broker))
        await self.settle()

    def part(self, error=None):
        """Do as ``Link._serve`` when a broker has ended, but for the end of its connection."""
        self.running = None
        moved = self.sender.broke(error) if isinstance(error, BrokerError) else None
        self.ends.append((repr(error), repr(getattr(error, "__cause__", None)), moved))
        self.outgoing.cut()
        self.broker.fail(BrokerError("closed"))

    async def leave(self, error=None):
        """End the work with a broker, whose connection stays: replies may come late."""
        if self.running is not None:
            self.running.cancel()
            await asyncio.wait([self.running])
            self.part(error if self.running.cancelled() else self.running.exception())

    def reply(self, *replies, broker=None):
        """Let the server reply: with nothing said, as it does to all that was asked."""
        answering = (broker or self.broker)._publisher._replies
        count = sum(question.count - len(question.replies) for question in answering._questions)
        answering.data_received(b"".join(replies or [b":1\r\n"] * count))

    async def replied(self, *replies):
        """Reply, and return when the next batch is written."""
        self.reply(*replies)
        await self.settle()

    def expected(self, *publications):
        """What is written for publications, each a payload and its channels."""
        batch = [Publication(channels, payload) for payload, *channels in publications]
        return b"".join(publish_commands(batch, b"PUBLISH"))

    async def close(self):
        """End all connections."""
        await self.leave()
        for broker in self.brokers:
            broker._publisher._replies.connection_lost(None)
            broker.fail(BrokerError("closed"))
        await self.settle()

    def state(self):
        """Return all that batches change."""
        parts = [
            (self.backlog, {"losses"}),
            (self.outgoing, {"_answer", "_mark", "backlog", "window"}),
            (self.sender, {"_backlog", "_began", "_clock", "_outgoing", "_refused", "_suspect"}),
            (self.sender._suspect, set()),
        ]
        state = {
            f"{type(part).__name__}.{name}": repr(getattr(part, name))
            for part, others in parts
            for name in set(type(part).__slots__) - others
        }
        batches = self.batches
        return state | {
            "losses": repr(self.backlog.losses._channels),
            "began": self.window.step(self.sender._began) if self.sender._under_way else None,
            "window": self.window.noted.copy(),
            "direct": batches._direct and self.brokers.index(batches._direct),
            "busy": (batches._busy, batches._more),
            "told": (self.sent, self.given_up.copy(), self.ends.copy()),
            "brokers": [state_of(broker) for broker in self.brokers],
        }


def state_of(broker):
    """Return all that batches change in a broker."""
    line = broker._publisher._replies
    asked = [(question.count, repr(question.replies)) for question in line._questions]
    return line.transport.written.copy(), asked, repr(line._error), repr(broker._inbox.error)


def ways(bench):
    """Return how many batches what is in C has refused, and how many it gave back, since the last call."""
    batches = bench.batches
    counts, batches.general, batches.unusual = (batches.general, batches.unusual), 0, 0
    return counts
