"""What a node hears of itself: how late, whether at all, and whether another node has its id.

Two nodes get one id when a process or a machine is copied while it runs. Each takes the other's envelopes
for its own that come back, so nothing crosses between them.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from socketio_cluster.manager.bus.broker import Delivery
from socketio_cluster.manager.bus.envelope import Codec, Header
from socketio_cluster.manager.stats import Stats

if TYPE_CHECKING:
    from socketio_cluster.manager.options import Options

logger = logging.getLogger("socketio_cluster.manager")

STAMPS: Final = 256
"""So many of its own words a node remembers; they come back within a few heartbeats."""


class Echo:
    """The envelopes that bear this node's id; ``now`` is its monotonic clock, in seconds.

    Args:
        options: how long silence may last.
        everyone: the channel on which a node speaks of itself.
        codec: verifies what is not this node's own.
        stats: where to count.
    """

    def __init__(self, options: Options, everyone: str, codec: Codec, stats: Stats) -> None:
        self._options = options
        self._everyone = everyone
        self._codec = codec
        self._stats = stats
        self._said: deque[float] = deque(maxlen=STAMPS)
        self._heard = 0.0
        self._doubled_until = 0.0

    def said(self, stamp: float) -> None:
        """Note when something was said to everybody, in epoch seconds."""
        self._said.append(stamp)

    def arrived(self, delivery: Delivery, header: Header, now: float) -> None:
        """Take an envelope with this node's id; raises ``EnvelopeError`` for one that only pretends."""
        if delivery.channel == self._everyone and header.sent not in self._said:
            self._codec.message(delivery.payload)
            self._meet(header.origin, now)
        else:
            self._heard = now
            self._stats.lag = max(0.0, time.time() - header.sent)

    def excuse(self, now: float) -> None:
        """Start the silence anew: this node could not hear itself until now."""
        self._heard = now

    def deaf(self, now: float) -> bool:
        """Whether this node should have heard itself."""
        return now - self._heard > self._options.deaf_after

    def doubled(self, now: float) -> bool:
        """Whether there is another node with this id."""
        return now < self._doubled_until

    def _meet(self, origin: str, now: float) -> None:
        if not self.doubled(now):
            logger.error("another node has this one's id, %s: neither hears the other, restart both", origin)
        self._doubled_until = now + self._options.dead_after
