"""``Lateness``: finds that this node hears others late.

The bus takes what a node publishes, whether or not the others read as fast. What they have not read yet waits
in the bus: in a flood events come later and later, until the bus drops them. So a node that is late says so
to those who publish most, and their emits wait (``window.py``). One that stands still says nothing, and holds
up nobody.

This is pure book-keeping; ``now`` is this node's monotonic clock in seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from socketio_cluster.manager.bus.broker import Delivery
from socketio_cluster.manager.bus.envelope import ORIGIN, Codec
from socketio_cluster.manager.bus.stamp import unstamped
from socketio_cluster.manager.bus.streams import Streams
from socketio_cluster.manager.errors import EnvelopeError

TOLD: Final = 8
"""The most senders that are told at once. Of many equal ones each is told now and then."""
SAMPLE: Final = 32
"""How many deliveries are looked at for that. To read the senders of 256 would take 0.1 ms."""
MANY: Final = 64
"""When as many deliveries come at once, more may wait behind them. Behind fewer there is nothing."""
LATE: Final = 0.01
"""Seconds. An event that is late by less counts as in time: batches and flushes take as long."""
PAUSE: Final = 0.01
"""Seconds between two messages about it at least: what the first one changes shows after that."""
PAUSE_OF_EACH: Final = 0.0005
"""Seconds more for each node. So one that all others hear late is told at most 2000 times a second."""


class Lateness:
    """Finds whom to tell.

    Args:
        codec: reads the envelopes.
        streams: knows the clocks of the other nodes.
        tell: tells nodes by how many seconds they are late.
    """

    def __init__(self, codec: Codec, streams: Streams, tell: Callable[[list[str], float], None]) -> None:
        self._codec = codec
        self._streams = streams
        self._tell = tell
        self._next = 0.0

    def look(self, deliveries: Sequence[Delivery], now: float) -> None:
        """Look whether this node is late, after very many deliveries came at once.

        The newest one counts. If that is in time, nothing waits behind it.
        """
        if now < self._next:
            return
        late = self._late(unstamped(deliveries[-1].payload), now)
        if late >= LATE and (origins := self._heaviest(deliveries)):
            self._next = now + PAUSE + PAUSE_OF_EACH * len(self._streams)
            self._tell(origins, late)

    def _late(self, raw: bytes, now: float) -> float:
        try:
            header = self._codec.header(raw)
            if self._codec.signs:
                self._codec.message(raw)  # This verifies it. Otherwise anybody could slow down all nodes.
        except EnvelopeError:
            return 0.0  # It was refused, and told of, when it came.
        return self._streams.late(header, now)

    def _heaviest(self, deliveries: Sequence[Delivery]) -> list[str]:
        """Return who sent most of these, and at least half as many as each did on average."""
        some = deliveries[:: 1 + len(deliveries) // SAMPLE]
        counts = Counter(unstamped(delivery.payload)[ORIGIN].decode("latin-1") for delivery in some)
        least = len(some) / len(counts) / 2
        heavy = [origin for origin, count in counts.most_common() if count >= least]
        return [origin for origin in heavy if self._streams.knows(origin)][:TOLD]
