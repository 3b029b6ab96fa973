"""``Membership``: the other nodes on the bus, from their hello until they leave or die."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final, Protocol

from socketio_cluster.manager.bus.envelope import Codec
from socketio_cluster.manager.bus.messages import Beat, Hello, Message
from socketio_cluster.manager.bus.roster import NodeInfo, Roster
from socketio_cluster.manager.bus.streams import Streams
from socketio_cluster.manager.bus.versions import NEWEST, Versions

logger = logging.getLogger("socketio_cluster.manager")


PAUSE: Final = 0.5
"""Seconds between two answers. One beat answers all hellos that come meanwhile."""


def for_all(greeted: int, nodes: int) -> bool:
    """Whether an answer to so many hellos goes to all other nodes, of which there are ``nodes``.

    Otherwise it goes to the inboxes of the nodes that said hello, each of which costs the bus an envelope.
    When hundreds of nodes come back one by one, answers to everybody would reach each node many times.
    """
    return 2 * greeted > nodes


class Greetings:
    """The hellos that wait for an answer. Times are in seconds."""

    def __init__(self) -> None:
        self._from: set[str] = set()
        self._next = 0.0

    def heard(self, origin: str) -> None:
        """Note the hello of a node."""
        self._from.add(origin)

    def due(self, now: float, *, at_once: bool = False) -> set[str]:
        """Remove and return the nodes to answer now.

        They are empty if the last answer was not long ago, unless ``at_once`` is set.
        """
        if not self._from or (now < self._next and not at_once):
            return set()
        due, self._from, self._next = self._from, set(), now + PAUSE
        return due


class Settling:
    """After an outage of the bus: waits until the nodes that were on it before are back.

    Then each of them has its subscriptions, and the envelopes that waited are published. They go out once, to
    the nodes that need them. If they were published earlier, nodes on their way back would miss them and ask
    for them.

    Args:
        nodes: the nodes that were on the bus before.
        until: the time in seconds after which this waits no longer.
    """

    def __init__(self, nodes: Iterable[str], until: float) -> None:
        self._missing = set(nodes)
        self._until = until

    def heard(self, node: str) -> None:
        """Note that a node is on the bus. After an outage its first message is its hello."""
        self._missing.discard(node)

    def over(self, now: float) -> bool:
        """Whether the waiting is over."""
        return not self._missing or now >= self._until


class NodeListener(Protocol):
    """The object that gets the messages of other nodes, such as a client manager."""

    def heard(self, origin: str, message: Message) -> None:
        """Handle a message of another node. Each comes once, in the order of sending."""

    def node_here(self, node: str, *, greets: bool) -> None:
        """Handle that a node that serves clients has come, or is back.

        ``greets`` tells that it has said hello. One that has not was on the bus before.
        """

    def node_gone(self, node: str, *, died: bool) -> None:
        """Handle that a node has left, or that it has died: it was not heard for ``dead_after``."""

    @property
    def client_count(self) -> int:
        """How many clients this node serves."""


class Membership:
    """The other nodes. Times are readings of this node's monotonic clock, in seconds.

    Args:
        streams: knows when each node was last heard.
        listener: is told when a node has come, has left or died.
        codec: writes the version of the envelope that all nodes read.
        keep: for how many seconds envelopes of this node may be asked for.
    """

    def __init__(self, streams: Streams, listener: NodeListener, codec: Codec, keep: float) -> None:
        self._codec = codec
        self._versions = Versions(keep, NEWEST)
        self.roster = Roster(streams)
        self._listener = listener
        self._settling: Settling | None = None
        self.greetings = Greetings()

    @property
    def nodes(self) -> dict[str, NodeInfo]:
        """The live nodes by id, without this one."""
        return self.roster.nodes

    @property
    def bridges(self) -> list[str]:
        """The ids of the live nodes that are bridges, without this one."""
        return self.roster.bridges

    def settle(self, nodes: Iterable[str], until: float) -> None:
        """Start to wait for these nodes, which were on the bus before the outage."""
        self._settling = Settling(nodes, until)

    def settled(self, now: float) -> bool:
        """Whether the waiting is over. Returns True only once for each ``settle``."""
        if self._settling is None or not self._settling.over(now):
            return False
        self._settling = None
        return True

    def heard(self, origin: str) -> None:
        """Note that a node is on the bus."""
        if self._settling is not None:
            self._settling.heard(origin)

    def present(self, origin: str, notice: Hello | Beat, now: float) -> None:
        """Handle a hello or a beat of a node."""
        self._versions.heard(origin, notice.reads, now)
        if notice.reads < self._codec.version:
            self._codec.version = self._versions.agreed(now)
        if self.roster.present(origin, notice):
            logger.info("node %s (%s) is here", notice.name or origin, origin)
            self._listener.node_here(origin, greets=isinstance(notice, Hello))
        if isinstance(notice, Hello):
            self.greetings.heard(origin)

    def left(self, origin: str) -> None:
        """Handle the goodbye of a node."""
        if self.roster.leave(origin):
            logger.info("node %s left", origin)
            self._listener.node_gone(origin, died=False)

    def expire(self, now: float) -> None:
        """Remove the nodes that have been silent for too long, and write what all others read."""
        self._codec.version = self._versions.agreed(now)
        for node in self.roster.expire(now):
            logger.info("node %s is dead", node)
            self._listener.node_gone(node, died=True)
