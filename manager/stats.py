"""What a node counts: plain numbers that a metrics page or a test reads."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

BOUNDS: Final = (0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds: the upper ends of all buckets but the last, which has none."""


class Histogram:
    """Durations in seconds. ``counts`` has one number for each bucket, ``total`` is their sum in seconds."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds


@dataclass
class Stats:
    """Counters since the node started. ``received`` and ``published`` are by kind of message."""

    published: Counter[str] = field(default_factory=Counter)
    received: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    """Envelopes refused, by reason: malformed, version, unsigned, signature, old."""
    repeats: int = 0
    """Envelopes that had arrived before and were dropped."""
    dropped: int = 0
    """Envelopes the bus never got: beyond the bounds of the buffer, or refused by the bus."""
    gaps: int = 0
    """Senders that could not give this node what it had missed, added up over its absences and theirs."""
    lost: int = 0
    """Envelopes for this node that were lost so; at least, when a sender does not know any more."""
    reconnects: int = 0
    """Times the link to the bus was made anew."""
    delivered: int = 0
    """Events handed to clients of this node."""
    slow_consumers: int = 0
    """Clients disconnected because they did not read."""
    lag: float = 0.0
    """Seconds from publish to receive of the last heartbeat of this node's own."""
    connections: int = 0
    """Engine.IO sessions that are open now, those without a client in any namespace included."""
    accepted: Counter[str] = field(default_factory=Counter)
    """Connections taken, by the transport they began with: polling, websocket."""
    turned_away: Counter[str] = field(default_factory=Counter)
    """Connections and clients not let in, by reason: full, rate, protocol, application, …"""
    disconnects: Counter[str] = field(default_factory=Counter)
    """Clients that left, per namespace, by the reason that disconnect handlers are told."""
    events: int = 0
    """Events received from clients of this node; acks are none."""
    handlers: int = 0
    """Event handlers that run now, those of clients that have left included."""
    emitted: int = 0
    """Emits made on this node, however many clients they went to."""
    received_bytes: int = 0
    """Bytes of packets from clients; WebSocket frames with their headers, bodies of requests without."""
    sent_bytes: int = 0
    """Bytes of packets to clients, measured in the same way."""
    rate_limited: int = 0
    """Events that had to wait, because their client sent more than it may."""
    rooms_refused: int = 0
    """Rooms not entered, because the client was in as many as it may be."""
    ack_seconds: Histogram = field(default_factory=Histogram)
    """From an event that asks for an ack to the answer, of clients of this node."""
    handler_seconds: dict[str, Histogram] = field(default_factory=dict)
    """How long handlers ran, by event; ``other`` for those without a handler of their own name."""
