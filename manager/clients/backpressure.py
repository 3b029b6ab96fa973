"""What a node does about clients that are behind: emits give them time, and the slow ones are cut off."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Final

from socketio_cluster.manager.clients.slow_consumers import ClientQueue, SlowConsumers
from socketio_cluster.manager.stats import Stats
from socketio_cluster.manager.tasks import Recurring

logger = logging.getLogger("socketio_cluster.manager")

SLOW_CONSUMER: Final = "slow consumer"
"""What the disconnect handlers of a client that is cut off are told."""
TURN_BYTES: Final = 256 * 1024
"""So much is emitted before the loop gets a turn, in which it is written: a millisecond or less."""
EMIT_BYTES: Final = 256
"""What an emit counts for beside its bytes: small ones take time too."""
PAUSE: Final = 0.005
PATIENCE: Final = 2.0
"""Seconds for which an emit to one client that is behind waits for it: a phone takes a megabyte meanwhile."""
LOOKS: Final = 5
"""Looks at a client before it counts as slow."""


class Backpressure:
    """The clients of one node that are behind, and the emits that are held up for them.

    Args:
        seconds: how long what waits for a client may stay the same.
        stats: where to count.
    """

    def __init__(self, seconds: float, stats: Stats) -> None:
        self._stats = stats
        self._consumers = SlowConsumers(seconds)
        self._watch = Recurring(seconds / LOOKS, self._look)
        self._met: ClientQueue | None = None
        self._turn = 0

    def behind(self, queue: ClientQueue) -> None:
        """Take note, on the loop, that more than its mark waits for a client, after each message."""
        self._met = queue
        if self._consumers.add(queue, time.monotonic()):
            self._cut_off(queue)
        else:
            self._watch.start()

    def emitted(self, size: int) -> bool:
        """Count an emit of so many bytes; True when it has to be ``eased``."""
        self._turn += size + EMIT_BYTES
        return self._met is not None or self._turn > TURN_BYTES

    async def ease(self, reached: int) -> None:
        """Give the loop a turn, and a client that is behind some time if the emit has ``reached`` it alone.

        An emit to many does not wait for one of them: those who read would wait for one who does not.
        """
        queue, self._met, self._turn = self._met, None, 0
        await asyncio.sleep(0)
        if queue is not None and reached == 1:
            await self._wait_for(queue)

    async def _wait_for(self, queue: ClientQueue) -> None:
        behind = self._consumers.behind.get(queue)
        if behind is None or behind.stuck:
            return
        before = queue.queued
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if queue.queued <= queue.mark:
                # Left there it would seem to stand still, as the next emit adds as much again.
                self._consumers.behind.pop(queue, None)
                return
            await asyncio.sleep(PAUSE)
        behind.stuck = queue.queued >= before

    def close(self) -> None:
        """Watch nobody any more."""
        self._watch.close()
        self._consumers.behind.clear()

    def _look(self) -> bool:
        for queue in self._consumers.look(time.monotonic()):
            self._cut_off(queue)
        return bool(self._consumers.behind)

    def _cut_off(self, queue: ClientQueue) -> None:
        sid = queue.cut_off()
        if sid is not None:
            self._stats.slow_consumers += 1
            logger.warning("client %s does not read: disconnecting it", sid)
