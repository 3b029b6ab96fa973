"""``Differences``: notices that other nodes have other settings of recovery than this one, and says so once.

``agreement.py`` has what a node with recovery says of those that keep their events elsewhere, or not at all.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from socketio_cluster.manager.bus.roster import NodeInfo

if TYPE_CHECKING:
    from socketio_cluster.manager.bus.node import Node

logger = logging.getLogger("socketio_cluster.manager")

OFF_HERE: Final = (
    "%s keeps events for clients that come back, and this node does not: give this node"
    " recovery_seconds too; until then no client is recovered"
)
OTHER_SECONDS: Final = (
    "recovery_seconds is %g on %s and %g on this node: give all nodes the same; until then how long a client"
    " may be away depends on the node that it was on"
)


class Differences:
    """Compares the settings of the other nodes with those of this one.

    Args:
        node: the node of this process.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._said: set[float] = set()
        """The other values of recovery_seconds that were logged, with 0 for none that is known."""

    @property
    def count(self) -> int:
        """How many nodes differ."""
        return len(self._others())

    def look(self) -> None:
        """Log each other value of recovery_seconds, once as long as a node has it. It names that node."""
        others = {info.recovery_seconds: info for info in reversed(self._others())}
        for seconds, info in others.items():
            if seconds not in self._said:
                self._say(info)
        self._said = set(others)

    def _say(self, other: NodeInfo) -> None:
        mine = self._node.options.recovery_seconds
        if mine is None:
            logger.error(OFF_HERE, other.name)
        elif other.recovery_seconds:
            logger.warning(OTHER_SECONDS, other.recovery_seconds, other.name, mine)

    def _others(self) -> list[NodeInfo]:
        mine = self._node.options.recovery_seconds or 0
        return [info for info in self._node.nodes.values() if _differs(info, mine)]


def _differs(other: NodeInfo, mine: float) -> bool:
    """Whether a node has another value. A release before 0.2 tells only whether it has one."""
    if other.history and not other.recovery_seconds:
        return not mine
    return other.recovery_seconds != mine
