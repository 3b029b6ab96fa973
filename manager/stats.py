"""What a node counts: plain numbers that a metrics page or a test reads."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Stats:
    """Counters since the node started. ``received`` and ``published`` are by kind of message."""

    published: Counter[str] = field(default_factory=Counter)
    received: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    """Envelopes refused, by reason: malformed, version, unsigned, signature."""
    repeats: int = 0
    """Envelopes that had arrived before and were dropped."""
    dropped: int = 0
    """Envelopes the bus never got: they waited longer, or were more, than the buffer's bounds."""
    gaps: int = 0
    """Times this node was cut off for longer than others keep envelopes: some may be lost."""
    reconnects: int = 0
    """Times the link to the bus was made anew."""
    delivered: int = 0
    """Events handed to clients of this node."""
    slow_consumers: int = 0
    """Clients disconnected because they did not read."""
    lag: float = 0.0
    """Seconds from publish to receive of the last heartbeat of this node's own."""
