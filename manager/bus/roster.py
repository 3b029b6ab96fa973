"""Who is in the cluster, and how far this node has heard each of them.

Pure book-keeping: every method takes the time in seconds. A *stream* is what one sender publishes,
numbered without gaps; because the bus keeps a sender's order, a number not above the last one seen is a
repeat. After a cut every stream is *behind* until its sender has replayed what was missed; what arrives
live in between is part of that replay and is passed over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from socketio_cluster.manager.bus.messages import Beat, Hello
from socketio_cluster.manager.errors import EnvelopeError

RATE: Final = 1_000_000
"""Envelopes a second, more than any node publishes: a number further on than that allows is made up."""


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """A live node: its id, name, address (``host:port`` or empty) and number of clients.

    ``draining``: it takes no new clients and lets its own go.
    """

    id: str
    name: str
    address: str
    clients: int
    draining: bool = False


@dataclass(slots=True)
class Stream:
    """How far a sender was heard: its last number, when, and whether a replay is awaited.

    ``top``: the highest number that came, also while behind, and ``top_at``, when.
    """

    seen: int
    heard: float
    behind: bool
    top: int
    top_at: float


class Roster:
    """The nodes and senders this node knows.

    Args:
        dead_after: seconds of silence after which a node is dead.
        forget_after: seconds after which the last number of a silent sender is forgotten; longer than
            anybody keeps envelopes, or a message sent again could pass for a new one.
    """

    def __init__(self, dead_after: float, forget_after: float) -> None:
        self._dead_after = dead_after
        self._forget_after = forget_after
        self._streams: dict[str, Stream] = {}
        self._was_cut = False
        self.nodes: dict[str, NodeInfo] = {}

    def fresh(self, origin: str, number: int, now: float) -> bool:
        """Note that an envelope came in; False for a repeat, or one that a replay will bring.

        Raises ``EnvelopeError`` for a number that its sender cannot have reached: it would make a repeat of
        everything that follows.
        """
        stream = self._streams.get(origin)
        if stream is None:
            # A sender first heard after a cut may have started during it: what it sent meanwhile was missed.
            behind = self._was_cut and number > 1
            self._streams[origin] = Stream(0 if behind else number, now, behind, number, now)
            return not behind
        if number > stream.top:
            if number - stream.top > RATE * (1 + now - stream.top_at):
                raise EnvelopeError("number", f"{number} of {origin}, whose last was {stream.top}")
            stream.top, stream.top_at = number, now
        stream.heard = now
        if stream.behind or number <= stream.seen:
            return False
        stream.seen = number
        return True

    def replayed(self, origin: str, number: int) -> bool:
        """Note an envelope inside a replay; False for a repeat, or a number above that of the replay."""
        stream = self._streams[origin]
        if not stream.seen < number <= stream.top:
            return False
        stream.seen = number
        return True

    def caught_up(self, origin: str, number: int) -> bool:
        """The replay with this number ends what was missed; False when none was awaited."""
        stream = self._streams.get(origin)
        if stream is None or not stream.behind:
            return False
        stream.behind = False
        stream.seen = max(stream.seen, number)
        return True

    def behind(self) -> list[str]:
        """The senders whose replay is awaited."""
        return [origin for origin, stream in self._streams.items() if stream.behind]

    def is_behind(self, origin: str) -> bool:
        """Whether this sender's replay is awaited."""
        stream = self._streams.get(origin)
        return stream is not None and stream.behind

    def seen(self) -> dict[str, int]:
        """The last number heard of each sender."""
        return {origin: stream.seen for origin, stream in self._streams.items()}

    def cut(self, now: float) -> None:
        """Note that this node was cut off and is back: everybody is behind, and nobody is dead yet."""
        self._was_cut = True
        for stream in self._streams.values():
            stream.behind = True
        self.grace(now)

    def grace(self, now: float) -> None:
        """Start every node's silence anew: this node could not hear."""
        for stream in self._streams.values():
            stream.heard = now

    def present(self, origin: str, message: Hello | Beat) -> bool:
        """Note a node that says it is alive; True when it was not known."""
        new = origin not in self.nodes
        if message.serving:
            clients = message.clients if isinstance(message, Beat) else 0
            name = message.name or origin
            self.nodes[origin] = NodeInfo(origin, name, message.address, clients, message.draining)
        return new and message.serving

    def leave(self, origin: str) -> bool:
        """Remove a node that says goodbye; False when it was not known."""
        self._streams.pop(origin, None)  # nothing comes after a goodbye, and nobody is left to replay
        return self.nodes.pop(origin, None) is not None

    def expire(self, now: float) -> list[str]:
        """Remove and return the nodes that have been silent for too long."""
        for origin, stream in list(self._streams.items()):
            if now - stream.heard > self._forget_after:
                del self._streams[origin]
        dead = []
        for node in self.nodes:
            known = self._streams.get(node)
            if known is None or now - known.heard > self._dead_after:
                dead.append(node)
        for node in dead:
            del self.nodes[node]
        return dead
