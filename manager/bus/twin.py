"""Another node with this node's id.

Two nodes get one id when a process or a machine is copied while it runs. Each takes the other's envelopes
for its own that come back, so nothing crosses between them.
"""

from __future__ import annotations

import logging
from collections.abc import Collection

logger = logging.getLogger("socketio_cluster.manager")


class Twin:
    """Tells this node's own notices from those of another; ``now`` is a monotonic clock, in seconds.

    Args:
        said: when this node has sent its latest notices, as their headers say.
        dead_after: seconds of silence after which the other one is gone.
    """

    def __init__(self, said: Collection[float], dead_after: float) -> None:
        self._said = said
        self._dead_after = dead_after
        self._until = 0.0

    def heard(self, node: str, sent: float, now: float) -> bool:
        """Whether a verified notice with this node's id is another's."""
        if sent in self._said:
            return False
        if not self.there(now):
            logger.error("another node has this one's id, %s: neither hears the other, restart both", node)
        self._until = now + self._dead_after
        return True

    def there(self, now: float) -> bool:
        """Whether another node with this id was heard of late."""
        return now < self._until
