"""Backpressure: emits wait a little for clients that are behind, and slow consumers are disconnected."""

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
"""The reason that the disconnect handlers of such a client get."""
TURN_BYTES: Final = 256 * 1024
"""After so many emitted bytes the event loop gets a turn and writes them: a millisecond or less."""
EMIT_BYTES: Final = 256
"""Bytes that each emit counts for in addition to its own, because small emits take time too."""
PAUSE: Final = 0.005
"""Seconds of one pause."""
PATIENCE: Final = 2.0
"""Seconds for which an emit to one client that is behind waits: a phone takes a megabyte meanwhile."""
CHECKS: Final = 5
"""How often a client that is behind is checked before it counts as slow."""


class Backpressure:
    """Watches the clients of one node that are behind, and delays emits for them.

    Args:
        seconds: a client that is behind is a slow consumer if its queue has not shrunk for so long.
        stats: counts the slow consumers.
    """

    __slots__ = ("_consumers", "_met", "_stats", "_turn", "_watch")

    def __init__(self, seconds: float, stats: Stats) -> None:
        self._stats = stats
        self._consumers = SlowConsumers(seconds)
        self._watch = Recurring(seconds / CHECKS, self._check)
        self._met: ClientQueue | None = None
        self._turn = 0

    def behind(self, queue: ClientQueue) -> None:
        """Note that a queue is above its mark. Called on the event loop, after each message."""
        self._met = queue
        if self._consumers.add(queue, time.monotonic()):
            self._cut_off(queue)
        else:
            self._watch.start()

    def emitted(self, size: int) -> bool:
        """Count an emit of so many bytes. Returns whether the caller has to await ``ease``."""
        self._turn += size + EMIT_BYTES
        return self._met is not None or self._turn > TURN_BYTES  # as `due`; each emit passes here

    @property
    def due(self) -> bool:
        """Whether somebody who emits has to await ``ease``."""
        return self._met is not None or self._turn > TURN_BYTES

    async def ease(self, reached: int) -> None:
        """Give the event loop a turn, and wait up to 2 s for a client that is behind. Cancelling is safe.

        It waits for the client only if the emit has ``reached`` no other one. Otherwise clients that read
        would wait for one that does not.
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
                # Otherwise the queue would seem not to shrink, because the next emit adds to it.
                self._consumers.behind.pop(queue, None)
                return
            await asyncio.sleep(PAUSE)
        behind.stuck = queue.queued >= before

    def close(self) -> None:
        """Stop watching."""
        self._watch.close()
        self._consumers.behind.clear()

    def _check(self) -> bool:
        for queue in self._consumers.check(time.monotonic()):
            self._cut_off(queue)
        return bool(self._consumers.behind)

    def _cut_off(self, queue: ClientQueue) -> None:
        sid = queue.cut_off()
        if sid is not None:
            self._stats.slow_consumers += 1
            logger.warning("client %s does not read: disconnecting it", sid)
