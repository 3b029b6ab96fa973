"""The drain of a worker: it ends the sessions one by one, before uvicorn would close all at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from math import floor
from typing import Any, Final

import uvicorn

from socketio_cluster.cluster.cli.options import LAST_SECONDS
from socketio_cluster.cluster.drain.goodbye import present, say_goodbye
from socketio_cluster.cluster.forward.relay import LineHalf
from socketio_cluster.cluster.http.ending import close_after_answers
from socketio_cluster.cluster.stack import served
from socketio_cluster.cluster.strict.answers import DRAINING
from socketio_cluster.cluster.strict.gate import gate_of
from socketio_cluster.manager.client_manager import ClusterManager

log = logging.getLogger("socketio_cluster.cluster")

SHUTTING_DOWN: Final = "server shutting down"
"""The reason that disconnect handlers get; it is the JavaScript server's."""
CHECK_SECONDS: Final = 0.05
"""Seconds between two checks for sessions to end."""
HURRY_FACTOR: Final = 5
"""In a hurry the last goodbyes get a fifth of their time."""


class Drain:
    """Runs once, on request. Call every method in the loop of the worker.

    Args:
        server: the server of uvicorn, which is told to exit at the end.
        managers: returns the managers whose clients are to leave.
        delay: seconds before that, in which the worker is not ready but serves everybody.
        window: seconds over which sessions are ended.
        drained: called when all are ended. The worker then serves until ``hurry``, for clients of other
            nodes.
    """

    def __init__(
        self,
        server: uvicorn.Server,
        managers: Callable[[], Sequence[ClusterManager]],
        *,
        delay: float,
        window: float,
        drained: Callable[[], None],
    ) -> None:
        self._server = server
        self._managers = managers
        self._delay = delay
        self._window = window
        self._drained = drained
        self._hurry = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._asked: set[Any] = set()
        self._going: set[asyncio.Task[None]] = set()

    @property
    def begun(self) -> bool:
        """Whether this worker drains, or has drained."""
        return self._task is not None

    def begin(self, delay: float | None = None) -> None:
        """Begin, unless that was done before. ``delay`` stands in for the usual one."""
        if self._task is None:
            self._delay = self._delay if delay is None else delay
            self._task = asyncio.get_running_loop().create_task(self._run(), name="drain")

    def hurry(self) -> None:
        """End all sessions that are left at once, then stop."""
        self._hurry.set()
        self.begin()

    async def _run(self) -> None:
        try:
            for manager in self._managers():
                manager.drain()
            clients = len(self._sessions())
            log.info("draining %d clients in %g s, after %g s", clients, self._window, self._delay)
            await self._pause(self._delay)
            self._refuse_new()
            close_after_answers(self._server)
            await self._let_all_go()
            self._drained()
            await self._hurry.wait()
        except Exception:
            log.exception("the drain failed: stopping at once")
        finally:
            self._server.should_exit = True

    async def _let_all_go(self) -> None:
        now = asyncio.get_running_loop().time
        kinds = (self._sessions, self._relays)
        schedules = [(kind, Schedule(len(kind()), now(), self._window)) for kind in kinds]
        while any(kind() for kind in kinds):
            for kind, schedule in schedules:
                clients = kind()
                due = len(clients) if self._hurry.is_set() else schedule.due(len(clients), now())
                for client in clients[:due]:
                    self._begin_goodbye(client)
            await self._pause(CHECK_SECONDS)
        await self._last_goodbyes()

    async def _last_goodbyes(self) -> None:
        left = LAST_SECONDS
        while self._going and left > 0:
            await asyncio.sleep(CHECK_SECONDS)
            left -= CHECK_SECONDS * HURRY_FACTOR if self._hurry.is_set() else CHECK_SECONDS

    def _refuse_new(self) -> None:
        for manager in served(self._managers()):
            gate = gate_of(manager.host)
            if gate is not None:
                gate.closed = DRAINING

    def _sessions(self) -> list[Any]:
        """Return the sessions of this worker that no goodbye was sent to, each with its manager."""
        managers = served(self._managers())
        sessions = ((one, socket) for one in managers for socket in one.host.engine.sockets.values())
        return [one for one in sessions if present(one[1]) and one not in self._asked]

    def _relays(self) -> list[LineHalf]:
        """Return the connections that lead to other nodes, but not to nodes that drain themselves."""
        infos = (info for manager in self._managers() for info in manager.nodes().values())
        draining = {info.id for info in infos if info.draining}
        connections: set[Any] = self._server.server_state.connections
        relays = (one for one in connections if isinstance(one, LineHalf))
        return [one for one in relays if one.node not in draining and one not in self._asked]

    def _begin_goodbye(self, client: Any) -> None:
        self._asked.add(client)
        if isinstance(client, LineHalf):
            client.shutdown()
            return
        manager, socket = client
        task = asyncio.get_running_loop().create_task(say_goodbye(manager, socket, SHUTTING_DOWN))
        self._going.add(task)
        task.add_done_callback(self._gone)

    def _gone(self, task: asyncio.Task[None]) -> None:
        self._going.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a client could not be let go", exc_info=error)

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._hurry.wait(), seconds)
        except TimeoutError:
            return
        await asyncio.sleep(0)


class Schedule:
    """Spreads goodbyes evenly: one every ``window / total`` seconds, the first one at once.

    Args:
        total: the number of clients at the beginning.
        begin: the time of the beginning, in seconds.
        window: seconds; with 0 all leave at once.
    """

    def __init__(self, total: int, begin: float, window: float) -> None:
        self._total = total
        self._begin = begin
        self._window = window

    def due(self, present: int, now: float) -> int:
        """Return how many of the ``present`` clients are to leave now.

        Clients that left by themselves count too.
        """
        passed = now - self._begin
        if passed >= self._window:
            return present
        gone = floor(self._total * passed / self._window) + 1
        return max(0, present - max(0, self._total - gone))
