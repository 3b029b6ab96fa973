"""Who else is on the bus: who has come, who is to be greeted, who is waited for, and who is gone."""

from __future__ import annotations

import logging

from socketio_cluster.manager.bus.greetings import Greetings
from socketio_cluster.manager.bus.messages import Beat, Hello
from socketio_cluster.manager.bus.node_listener import NodeListener
from socketio_cluster.manager.bus.roster import NodeInfo, Roster
from socketio_cluster.manager.bus.settling import Settling
from socketio_cluster.manager.bus.streams import Streams

logger = logging.getLogger("socketio_cluster.manager")


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
