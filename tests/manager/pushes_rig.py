"""A broker of Redis without a server: a test says what arrives, and sees what comes of it."""

from __future__ import annotations

import asyncio
import contextlib
from unittest.mock import Mock

from socketio_cluster.manager.brokers.redis import PLAIN, RedisBroker
from socketio_cluster.manager.brokers.redis_line import RedisLine
from socketio_cluster.manager.brokers.redis_replies import RedisReplies
from socketio_cluster.manager.errors import BrokerError
from socketio_cluster.manager.native.library import VARIABLE

END = b"end"
"""The payload at which what handles deliveries ends the broker."""


def bulk(word):
    return b"$%d\r\n%s\r\n" % (len(word), word)


def push(*words, resp3=True):
    """Return what a server pushes, or what one that knows only RESP2 sends."""
    return b"%b%d\r\n%b" % (b">" if resp3 else b"*", len(words), b"".join(map(bulk, words)))


class Subscribed:
    """A broker that reads in C or in Python."""

    def __init__(self, patches, way, *, resp3=True, words=PLAIN):
        patches.setenv(VARIABLE, "off" if way == "python" else "on")
        self.broker = RedisBroker({"host": "here", "port": 1}, words)
        if not resp3:
            self.broker._subscriber = RedisLine({"host": "here", "port": 1})
        self.line = self.broker._subscriber
        self.line.pushes = resp3
        self.transport = Mock(asyncio.Transport)
        self.replies = self.line._replies = RedisReplies(self.transport, "here:1")
        self.broker._listen()
        self.handed = []
        self.meanwhile = None
        """What is raised, or called, when the next deliveries are handed over."""
        self.answers = []
        self.tasks = []
        self.reading = None

    def hear(self, wire):
        self.replies.data_received(wire)

    def take(self, deliveries):
        self.handed.append(deliveries)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            raise meanwhile
        if any(delivery.payload == END for delivery in deliveries):
            self.broker.fail(BrokerError("ended meanwhile"))

    async def read(self):
        """Let the reader wait, if it does not."""
        if self.reading is None or self.reading.done():
            self.tasks.append(asyncio.ensure_future(self.broker.receive()))
            self.reading = self.tasks[-1]
            await asyncio.sleep(0)

    async def start(self, *channels):
        """Take channels, whose confirmations come."""
        await self.call(self.broker.subscribe(channels))
        self.confirm(*channels)
        self.broker.hand_to(self.take)
        await self.read()

    def confirm(self, *channels):
        words, resp3 = self.broker._words, self.line.pushes
        wire = [push(words.subscribe.lower(), each.encode(), resp3=resp3) for each in channels]
        self.hear(b"".join(wire) + (b"+OK\r\n" if resp3 else b""))

    def ask(self):
        """Ask a question of one reply, unless the connection has ended."""
        with contextlib.suppress(BrokerError):
            self.replies.ask_for(b"x", 1, lambda answer: self.answers.append(repr(answer)))

    async def call(self, call):
        self.tasks.append(asyncio.ensure_future(call))
        await asyncio.sleep(0)

    async def end(self):
        await self.broker.close()
        self.replies.connection_lost(None)
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.tasks.clear()
        self.reading = None
        await asyncio.sleep(0)  # The loop has the tasks in hand until then.

    def state(self):
        """Return all that reading changes."""
        inbox, replies = self.broker._inbox, self.replies
        confirmations = self.broker._confirmations._commands
        state = [self.handed, inbox._deliveries, inbox._size, repr(inbox.error), inbox._idle, self.answers]
        state += [self.transport.abort.called, repr(replies._error), len(replies._questions)]
        state += [self.broker._taken, [(each.kind, each.names, each.confirmed) for each in confirmations]]
        return repr([*state, [outcome(task) for task in self.tasks]])


def outcome(task):
    """Return what has become of a task, as far as it is done."""
    if not task.done():
        return "waits"
    if task.cancelled():
        return "cancelled"
    return repr(task.exception() or task.result())
