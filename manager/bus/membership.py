"""Who else is on the bus: who has come, who is to be greeted, who is waited for, and who is gone."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final, Protocol

from socketio_cluster.manager.bus.messages import Beat, Hello, Message
from socketio_cluster.manager.bus.roster import NodeInfo, Roster
from socketio_cluster.manager.bus.streams import Streams

logger = logging.getLogger("socketio_cluster.manager")


PAUSE: Final = 0.5
"""Seconds between two answers: however many hellos come meanwhile, one beat answers all."""
FEW: Final = 4
"""So many are answered in their inboxes; for more one envelope to everybody costs less."""


class Greetings:
    """Hellos that wait for an answer; times are seconds."""

    def __init__(self) -> None:
        self._from: set[str] = set()
        self._next = 0.0

    def heard(self, origin: str) -> None:
        """Note a hello."""
        self._from.add(origin)

    def due(self, now: float) -> set[str]:
        """Whom to answer now."""
        if not self._from or now < self._next:
            return set()
        due, self._from, self._next = self._from, set(), now + PAUSE
        return due


class Settling:
    """Whether everybody is back, or the time for it over.

    Args:
        nodes: who was there before.
        until: when not to wait any longer, in seconds.
    """

    def __init__(self, nodes: Iterable[str], until: float) -> None:
        self._missing = set(nodes)
        self._until = until

    def heard(self, node: str) -> None:
        """Note that this node is on the bus: after an outage the first thing it says is its hello."""
        self._missing.discard(node)

    def over(self, now: float) -> bool:
        """Whether there is nobody to wait for."""
        return not self._missing or now >= self._until


class NodeListener(Protocol):
    """Who is told what other nodes say."""

    def heard(self, origin: str, message: Message) -> None:
        """A message of another node, in the order it was sent, once."""

    def node_gone(self, node: str) -> None:
        """A node left or died."""

    @property
    def client_count(self) -> int:
        """How many clients this node serves."""


class Membership:
    """The other nodes; ``hears`` is told who is gone. Times are this node's monotonic clock, in seconds."""

    def __init__(self, streams: Streams, hears: NodeListener) -> None:
        self._roster = Roster(streams)
        self._hears = hears
        self._settling: Settling | None = None
        self.greetings = Greetings()

    @property
    def nodes(self) -> dict[str, NodeInfo]:
        """The live ones, by id."""
        return self._roster.nodes

    def settle(self, until: float) -> None:
        """Wait for those who are there now, that is, who were there before the bus was away."""
        self._settling = Settling(self._roster.nodes, until)

    def settled(self, now: float) -> bool:
        """Whether the waiting is over; True once."""
        if self._settling is None or not self._settling.over(now):
            return False
        self._settling = None
        return True

    def heard(self, origin: str) -> None:
        """Note that a node is on the bus."""
        if self._settling is not None:
            self._settling.heard(origin)

    def present(self, origin: str, notice: Hello | Beat) -> None:
        """Take what a node says about itself."""
        if self._roster.present(origin, notice):
            logger.info("node %s (%s) is here", notice.name or origin, origin)
        if isinstance(notice, Hello):
            self.greetings.heard(origin)

    def left(self, origin: str) -> None:
        """Take a goodbye."""
        if self._roster.leave(origin):
            self._gone(origin, "left")

    def expire(self, now: float) -> None:
        """Look for the dead."""
        for node in self._roster.expire(now):
            self._gone(node, "is dead")

    def _gone(self, node: str, how: str) -> None:
        logger.info("node %s %s", node, how)
        self._hears.node_gone(node)
