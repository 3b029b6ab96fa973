"""The counters of a node: plain numbers, which a metrics page or a test reads."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

BOUNDS: Final = (0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The upper bounds of the buckets in seconds. The last bucket has no upper bound and is not in this list."""


class Histogram:
    """A histogram of durations.

    ``counts`` has one number for each bucket, and ``total`` is the sum of all durations in seconds.
    """

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        """Count one duration."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds


@dataclass(slots=True)
class Stats:
    """Counters since the start of the node. ``received`` and ``published`` count each kind of message."""

    published: Counter[str] = field(default_factory=Counter)
    received: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    """Envelopes that were refused, by reason: malformed, version, unsigned, signature, old."""
    longer: int = 0
    """Messages with fields that only a newer release knows, which were ignored.

    ``received`` counts messages of a kind that only a newer release knows as ``Unknown``.
    """
    repeats: int = 0
    """Envelopes that had arrived before and were dropped."""
    dropped: int = 0
    """Envelopes that the bus never got, because the buffer was full or the bus refused them."""
    gaps: int = 0
    """How often a sender no longer had the envelopes that this node had missed."""
    lost: int = 0
    """Envelopes for this node that were lost in this way. There may be more if a sender lost count."""
    reconnects: int = 0
    """How often the link connected to the bus again."""
    delivered: int = 0
    """Events delivered to clients of this node."""
    recoveries: Counter[str] = field(default_factory=Counter)
    """Clients that came back with the id of a session: ``recovered``, or why not."""
    replayed: int = 0
    """Events that were sent to clients because they had missed them."""
    replay_seconds: Histogram = field(default_factory=Histogram)
    """How old these events were."""
    slow_consumers: int = 0
    """Clients that were disconnected because they did not read."""
    lag: float = 0.0
    """Seconds that this node's own last heartbeat took from here through the bus and back."""
    connections: int = 0
    """Engine.IO sessions that are open now. Those that have joined no namespace count too."""
    accepted: Counter[str] = field(default_factory=Counter)
    """Connections that were accepted, by their first transport: polling, websocket."""
    turned_away: Counter[str] = field(default_factory=Counter)
    """Connections and clients that were refused, by reason: full, rate, protocol, application, …"""
    disconnects: Counter[str] = field(default_factory=Counter)
    """Clients that left a namespace, by the reason that the disconnect handlers get."""
    events: int = 0
    """Events received from clients of this node. Acks do not count."""
    handlers: int = 0
    """Event handlers that run now. Those of clients that have left count too."""
    emitted: int = 0
    """Emits made on this node. An emit counts once, however many clients it reaches."""
    received_bytes: int = 0
    """Bytes of packets from clients. The headers of WebSocket frames count, those of HTTP requests do not."""
    sent_bytes: int = 0
    """Bytes of packets to clients, measured in the same way."""
    rate_limited: int = 0
    """Events that had to wait, because their client sent more than its limit."""
    rooms_refused: int = 0
    """Rooms that were not entered, because the client was at its limit of rooms."""
    ack_seconds: Histogram = field(default_factory=Histogram)
    """The times between an event that asks for an ack and the answer, for clients of this node."""
    handler_seconds: dict[str, Histogram] = field(default_factory=dict)
    """How long handlers ran, by event. Events without a handler of their own name count as ``other``."""
