"""Lets sessions go for their age, so that load evens out after new nodes have come."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

from socketio_cluster.cluster.drain.ages import Ages
from socketio_cluster.cluster.drain.goodbye import let_go, served
from socketio_cluster.manager.client_manager import ClusterManager

TOO_OLD: Final = "connection too old"
"""The reason that disconnect handlers get."""
GRAIN: Final = 0.25
"""Seconds between looks at who is due; a second is enough for ages of minutes."""


class Aging:
    """One clock for the sessions of all servers of this process; made inside its running loop.

    Args:
        longest: seconds that a session may last, give or take a fifth.
    """

    def __init__(self, longest: float) -> None:
        self._grain = min(1.0, max(GRAIN, longest / 100))
        self._longest = longest
        self._ages: dict[ClusterManager, Ages] = {}
        self._task = asyncio.get_running_loop().create_task(self._run(), name="aging")

    def install(self, manager: ClusterManager) -> None:
        """Watch the sessions of a manager's server; once is enough."""
        for eio in served([manager]):
            if manager not in self._ages:
                self._ages[manager] = ages = Ages(self._longest)
                eio.on("connect", _noting(ages, eio.handlers["connect"]))
                server = manager.server  # plain clients come to it directly
                server._handle_eio_connect = _noting(ages, server._handle_eio_connect)

    async def close(self) -> None:
        """Stop."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._grain)
            for manager, ages in self._ages.items():
                sockets = manager.server.eio.sockets
                for sid in ages.due(time.monotonic()):
                    if sid in sockets:
                        manager.spawn(let_go(sockets[sid], TOO_OLD))
                ages.sweep(sockets)


def _noting(ages: Ages, connect: Any) -> Callable[[str, dict[str, Any]], Coroutine[Any, Any, Any]]:
    async def note(eio_sid: str, environ: dict[str, Any]) -> Any:
        """Note a new session, then let the server take it."""
        ages.add(eio_sid, time.monotonic(), random.random())  # noqa: S311
        return await connect(eio_sid, environ)

    return note
