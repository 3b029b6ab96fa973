"""Senders, and a receiver that catches up with them, without a bus and without a clock."""

from __future__ import annotations

import time

from socketio_cluster.manager.bus.answers import Answers
from socketio_cluster.manager.bus.backlog import Backlog, Entry
from socketio_cluster.manager.bus.broker import Delivery
from socketio_cluster.manager.bus.catching_up import CatchingUp
from socketio_cluster.manager.bus.envelope import Codec, Header
from socketio_cluster.manager.bus.interest import Interest
from socketio_cluster.manager.bus.messages import Gone
from socketio_cluster.manager.bus.receiver import Receiver, Twin
from socketio_cluster.manager.bus.streams import Streams
from socketio_cluster.manager.stats import Stats

CODEC = Codec("sio")


class Sender:
    """Another node: its stream, and how it answers."""

    def __init__(self, name, max_bytes=10**6):
        self.name = name
        self.backlog = Backlog(max_bytes, 60)
        self.answers = Answers(self.backlog)

    def publish(self, number, channel="red"):
        raw = CODEC.pack(Header(self.name, number, time.time()), Gone(number))
        self.backlog.add(Entry(number, 0.0, (channel,), raw))
        self.backlog.batch(1, 10**6)
        self.backlog.sent(number)
        return Delivery(channel, raw)


class Rig:
    """A node that needs the channel ``red``, with senders that answer when they are told to."""

    def __init__(self):
        self.heard = []
        self.asked = []
        self.stats = Stats()
        self.streams = Streams(8, 120)
        interest = Interest()
        interest.want("red")
        self.receiver = Receiver(
            "mememeee",
            CODEC,
            self.streams,
            Twin((), 8),
            lambda sent: None,
            self.stats,
            self._hear,
            lambda *_: None,
            lambda *_: None,
        )
        self.catching_up = CatchingUp(
            self.streams,
            interest,
            self.receiver,
            lambda origin, ask: self.asked.append((origin, ask)),
            self.stats,
        )

    def _hear(self, origin, message):
        self.heard.append((origin[0], message.request))

    def live(self, *deliveries):
        self.receiver.arrived(list(deliveries))

    def cut(self):
        now = time.monotonic()
        self.catching_up.cut(now, now + 5)

    def settled(self):
        """The time for offers is over."""
        self.catching_up.turn(time.monotonic() + 6)

    def hears_of(self, sender):
        """A notice of the sender arrives."""
        now = time.time()
        self.streams.notice(Header(sender.name, 0, now), time.monotonic(), now)

    def answer(self, sender):
        """The sender answers what it was asked last."""
        origin, ask = self.asked[-1]
        assert origin == sender.name
        sender.answers.ask("mememeee", ask)
        self.catching_up.answered(origin, sender.answers.next()[1])

    def turn(self):
        self.catching_up.turn(time.monotonic())
