"""Ends sessions that are too old, so that the load evens out after new nodes have come."""

from __future__ import annotations

import asyncio
import heapq
import random
import time
from collections.abc import Callable, Container, Sized
from typing import Any, Final, Protocol

from socketio_cluster.cluster.drain.goodbye import say_goodbye
from socketio_cluster.manager.client_manager import ClusterManager

TOO_OLD: Final = "connection too old"
"""The reason that disconnect handlers get."""
CHECK_SECONDS: Final = 0.25
"""Seconds between two checks for old sessions, at least; a second is enough for ages of minutes."""


JITTER: Final = 0.2
"""A session lasts up to a fifth less or more, so that clients that came together do not leave together."""
SLACK: Final = 1000
"""The number of ended sessions that may be kept here before they are removed."""


class Aging:
    """The layer that ends old sessions, with one task for all servers. It is made inside the running loop.

    Args:
        longest: seconds that a session may last, give or take a fifth.
    """

    name = "aging"

    def __init__(self, longest: float) -> None:
        self._check_seconds = min(1.0, max(CHECK_SECONDS, longest / 100))
        self._longest = longest
        self._ages: dict[ClusterManager, Ages] = {}
        self._task = asyncio.get_running_loop().create_task(self._run(), name="aging")

    def install(self, manager: ClusterManager) -> None:
        """Watch the sessions of a manager's server."""
        self._ages[manager] = ages = Ages(self._longest)

        def before(connect: Callable[..., Any]) -> Callable[..., Any]:
            async def connected(eio_sid: str, environ: dict[str, Any]) -> Any:
                """Note a new session, then call the server's own function."""
                ages.add(eio_sid, time.monotonic(), random.random())  # noqa: S311
                return await connect(eio_sid, environ)

            return connected

        manager.host.connect.put(self.name, before)

    async def close(self) -> None:
        """Stop the task, and wait for its end."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._check_seconds)
            for manager, ages in self._ages.items():
                sockets = manager.host.engine.sockets
                for sid in ages.due(time.monotonic()):
                    if sid in sockets:
                        manager.spawn(say_goodbye(manager, sockets[sid], TOO_OLD))
                ages.sweep(sockets)


class Sessions(Sized, Container[str], Protocol):
    """The ids of the sessions that have not ended."""


class Ages:
    """The sessions in the order of their end. This is pure book-keeping: the caller gives the time.

    Args:
        longest: seconds that a session may last, on average.
    """

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._ends: list[tuple[float, str]] = []

    def add(self, sid: str, now: float, chance: float) -> None:
        """Note a new session; ``chance`` is a random number from 0 to 1."""
        lasts = self._longest * (1 + JITTER * (2 * chance - 1))
        heapq.heappush(self._ends, (now + lasts, sid))

    def due(self, now: float) -> list[str]:
        """Remove and return the ids whose time has come; some sessions may have ended before."""
        sids = []
        while self._ends and self._ends[0][0] <= now:
            sids.append(heapq.heappop(self._ends)[1])
        return sids

    def sweep(self, living: Sessions) -> None:
        """Forget ended sessions, when there may be more of them than open ones."""
        if len(self._ends) > 2 * len(living) + SLACK:
            self._ends = [entry for entry in self._ends if entry[1] in living]
            heapq.heapify(self._ends)

    def __len__(self) -> int:
        """Return the number of sessions that are kept here."""
        return len(self._ends)
