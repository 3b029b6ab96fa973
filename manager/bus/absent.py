"""``Absent``: finds the nodes that are on the first shard of the bus, but never come to another one."""

from __future__ import annotations

import logging
from collections.abc import Iterable

logger = logging.getLogger("socketio_cluster.manager")


class Absent:
    """The nodes that are missing on a shard. Most likely their URL of the bus names other servers.

    Args:
        shard: names the shard in the log.
        patience: after so many seconds a node that should be here counts as absent.
    """

    def __init__(self, shard: str, patience: float) -> None:
        self._shard = shard
        self._patience = patience
        self._since: dict[str, float] = {}
        self._told: set[str] = set()

    def look(self, now: float, expected: Iterable[str], here: Iterable[str]) -> list[str]:
        """Log and return the nodes that have just turned out to be absent. ``now`` is in seconds."""
        missing = set(expected).difference(here)
        self._since = {node: self._since.get(node, now) for node in missing}
        self._told &= missing
        late = [node for node in missing - self._told if now - self._since[node] > self._patience]
        self._told.update(late)
        for node in late:
            logger.error(
                "node %s is not on shard %s of the bus: it is cut off from there, or has another URL",
                node,
                self._shard,
            )
        return late
