"""A node that is given deliveries as if from the bus, and notes what its clients get."""

from __future__ import annotations

from dataclasses import asdict
from types import SimpleNamespace

import msgspec
import socketio

from socketio_cluster.manager.bus import node, receiver
from socketio_cluster.manager.bus.broker import Delivery
from socketio_cluster.manager.bus.envelope import HEADER_BYTES, Codec, Header, _sign
from socketio_cluster.manager.bus.stamp import Stamp, stamped
from socketio_cluster.manager.client_manager import ClusterManager
from socketio_cluster.manager.clients.client import Client
from socketio_cluster.manager.hearing import hear_compiled
from socketio_cluster.manager.native.library import VARIABLE
from socketio_cluster.manager.recovery.client_session import ClientSession

ME = "mememeee"
SECRET = "of sixteen or more characters"
EPOCH = "epoch1"


class Clock:
    """Both clocks of a receiver."""

    def __init__(self):
        self.passed = 0.0

    def monotonic(self):
        return 1000.0 + self.passed

    def time(self):
        return 1_800_000_000.0 + self.passed


class Hearing:
    """A node with clients, which hears in C or in Python."""

    def __init__(self, monkeypatch, way, *, recovery=True, secret=None, one_way=True):
        self.clock = Clock()
        monkeypatch.setenv(VARIABLE, "off" if way in ("python", "off") else "on")
        monkeypatch.setattr(node, "new_node_id", lambda: ME)
        monkeypatch.setattr(
            receiver, "time", SimpleNamespace(monotonic=self.clock.monotonic, time=self.clock.time)
        )
        self.manager = ClusterManager(
            "local:///nowhere.sock", secret=secret, recovery_seconds=60 if recovery else None
        )
        self.manager.server = socketio.AsyncServer()
        self.manager.spawn = lambda work: work.close()
        self.receiver = self.manager.node.receiver
        self.receiver.one_way = one_way
        hear_compiled(self.manager)
        self.codec = Codec(self.manager.options.prefix, secret)
        self.got = []
        self.clients = {}
        self.failing = None
        """The client whose connection raises what this maps it to."""
        if recovery:
            self.follower.order.epoch, self.follower.order.behind = EPOCH, False

    @property
    def follower(self):
        return self.manager.recovery.follower

    @property
    def streams(self):
        return self.receiver._streams

    def add(self, name, *rooms, namespace="/", session=False):
        """Let a client join."""
        sid = f"{ME}{name:_>12}"
        client = Client(sid, f"e{name}", namespace, lambda outgoing: self._write(name, outgoing), 1000)
        self.manager.members.add(client)
        for room in rooms:
            self.manager.members.enter(client, room)
        client.connected(1.0)
        client.session = ClientSession("pid", "claim", 0) if session else None
        self.clients[name] = client
        return client

    def _write(self, name, outgoing):
        if self.failing is not None and self.failing[0] == name:
            raise self.failing[1]
        self.got.append((name, repr(outgoing)))

    def pack(self, message, number, *, origin="otherone", age=0.0):
        """Return an envelope."""
        return self.codec.pack(Header(origin, number, self.clock.time() - age), message)

    def with_body(self, raw, body):
        """Return an envelope with other bytes in the place of the message, signed where the node signs."""
        head, macs = raw[:HEADER_BYTES], self.codec._macs
        return head + (_sign(macs[0], head, body) if macs else b"") + body

    def post(self, message, number):
        """Post an event of this node, and return the envelope that comes back."""
        channel = self.manager.node.channels.everyone
        self.manager.node.interest.want(channel)
        raw = self.pack(message, number, origin=ME)
        self.follower.posted(raw, (Header(ME, number, self.clock.time()), message), (channel,))
        return raw

    def hear(self, *payloads):
        """Let payloads arrive together."""
        self.receiver.arrived([Delivery("channel", payload) for payload in payloads])

    def state(self):
        """Return all that hearing changes, and forget what clients have got."""
        got, self.got = self.got, []
        counts = {name: count for name, count in asdict(self.manager.stats).items() if "seconds" not in name}
        state = [got, counts, self.streams._held_bytes, self.receiver._codec.longer]
        state += [{name: repr(stream) for name, stream in self.streams._streams.items()}]
        if self.manager.recovery is not None:
            follower = self.follower
            order, own = follower.order, follower._own_events
            state += [order.epoch, order.seen, order.behind, repr(order._held)]
            state += [follower._delivered, follower._echoed, repr(own._posted), own._size]
        return state


def stamp(raw, place, epoch=EPOCH):
    """Return an envelope as the bus numbers it."""
    return stamped(Stamp(epoch, place), raw)


def with_field(raw, start):
    """Return an envelope whose message has one field more than this release knows."""
    fields = msgspec.msgpack.decode(raw[start:])
    return raw[:start] + msgspec.msgpack.encode([*fields, "new"])
