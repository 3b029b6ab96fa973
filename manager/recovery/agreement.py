"""``Agreement``: whether all nodes keep their events in one history. Otherwise nothing is certain."""

from __future__ import annotations

import logging
from typing import Final

from socketio_cluster.manager.bus.node import Node
from socketio_cluster.manager.bus.roster import UNNAMED, NodeInfo
from socketio_cluster.manager.errors import BrokerError
from socketio_cluster.manager.recovery.keeper import Keeper

logger = logging.getLogger("socketio_cluster.manager")

NOT_KEPT: Final = "%s: give it recovery_seconds too; until then no client is recovered"
KEPT_ELSEWHERE: Final = (
    "%s: its events are kept elsewhere and do not come here, nor these there: give all nodes the same"
    " recovery_url; until then no client is recovered"
)


class Agreement:
    """Compares the histories of all nodes with that of this one. A history is named by its epoch.

    Args:
        node: the node of this process.
        keeper: what the bus keeps.
    """

    def __init__(self, node: Node, keeper: Keeper) -> None:
        self._node = node
        self._keeper = keeper
        self._mine = {UNNAMED}
        """The history of this node, and those that it had before: others may still name an old one."""
        self._broken = self._warned = False

    async def holds(self) -> bool:
        """Whether there is no node, and just was none, whose events are not in this history.

        Raises ``BrokerError``.
        """
        if not self._broken and self._others():
            await self._look()
            others = self._others()
            self._broken = bool(others)
            if others and not self._warned:
                self._warned = True
                self._warn(others)
        return not self._broken

    async def settle(self) -> None:
        """Go on when the last such node has gone. Raises ``BrokerError``."""
        if not await self.holds() and not self._others():
            await self._keeper.gap()
            self._broken = self._warned = False

    async def node_here(self) -> None:
        """Look at a node that has come."""
        try:
            await self.holds()
        except BrokerError as error:
            logger.debug("nodes are compared when the bus is back: %s", error)

    def _others(self) -> list[NodeInfo]:
        nodes, me = self._node.nodes.values(), self._node.id
        return [info for info in nodes if info.history not in self._mine and info.id != me]

    async def _look(self) -> None:
        """Ask for the own history, which may be a new one, as the bus may have lost its memory."""
        place = await self._keeper.place()
        if place is not None:
            self._mine.add(place.epoch)

    def _warn(self, others: list[NodeInfo]) -> None:
        for text, kept in ((NOT_KEPT, False), (KEPT_ELSEWHERE, True)):
            names = [info.name for info in others if bool(info.history) is kept]
            if names:
                logger.error(text, ", ".join(names))
