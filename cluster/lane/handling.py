"""Runs the application's handlers for the events of lanes, and sends what they return as the client's ack."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Coroutine
from contextvars import Context
from time import perf_counter
from types import CoroutineType
from typing import TYPE_CHECKING, Any, cast

from socketio_cluster.cluster.lane.begun import Begun
from socketio_cluster.cluster.lane.events import Event, answer, answer_generally
from socketio_cluster.cluster.lane.starter import Spares, starter
from socketio_cluster.cluster.metrics.watch import Watch
from socketio_cluster.manager.errors import EXITS, HandlerExit
from socketio_cluster.manager.stats import BOUNDS

if TYPE_CHECKING:
    from socketio_cluster.cluster.lane.connection import Lane
    from socketio_cluster.manager.client_manager import ClusterManager


class Handling:
    """The handlers of one server. It is made inside the running loop."""

    def __init__(self, manager: ClusterManager) -> None:
        self._host = host = manager.host
        self._not_handled = host.server.not_handled
        self._tasks: dict[Event, asyncio.Task[None]] = {}
        """The tasks of the handlers that wait, by the event."""
        self.starter = starter(asyncio.get_running_loop())
        self.start = self.starter.start
        """Starts a coroutine, see ``starter``. A lane must not be in its context meanwhile."""
        self._stats = manager.stats
        self._handlers = manager.handlers
        self._watch: Watch = host.layers["watch"]
        self._times, self._inner = self._watch.seconds, self._watch.inner
        if host.event.layers[:2] == ["exits", "watch"]:
            self._inner = host.event.own  # its errors are contained below, without one more coroutine
        self.stock = host.triggers_plainly
        """Whether handlers are found and run in the way of python-socketio's class."""
        self._find = host.plain_handler if self.stock else _no_handler

    def begin(self, lane: Lane, sid: str, event: Event) -> None:
        """Start the handler of an event. A handler that does not wait has ended when this returns."""
        task = self.start(self._handle(lane, sid, event), lane.context.copy())
        if task is not None:
            self._keep(task, lane, event)

    def go_on(
        self,
        context: Context,
        lane: Lane,
        sid: str,
        values: list[Any],
        ack_id: int | None,
        work: Coroutine[Any, Any, Any] | None,
        value: Any,
        error: BaseException | None,
        seconds: float,
    ) -> None:
        """Go on with an event whose handler has taken its first step; ``_short.c`` calls this.

        Args:
            context: its context, in which nobody is now. Its task is the spare that waits.
            lane: the client's.
            sid: the client.
            values: the name of the event and its arguments.
            ack_id: None when no ack is asked for.
            work: the handler's coroutine, if it waits.
            value: what it waits for, or else the result of the handler.
            error: what the handler has raised, or sending the ack.
            seconds: how long the step took.
        """
        event = Event(values.pop(0), "/", ack_id, values)
        rest = self._handle(lane, sid, event, Begun(work, value, error, seconds))
        spares = cast(Spares, self.starter)
        task = spares.step(rest, context)
        if task is not None:
            self._keep(task, lane, event)

    def _keep(self, task: asyncio.Task[None], lane: Lane, event: Event) -> None:
        """Count a handler that waits, until it ends.

        This does the same as manager.spawn, but the task removes itself: a callback would cost a turn of the
        loop. A handler that does not wait is never counted: nobody could see it run.
        """
        self._tasks[event] = task
        self._handlers.begin(lane.socket.sid)

    async def _handle(self, lane: Lane, sid: str, event: Event, begun: Begun | None = None) -> None:
        """Run the application's handler for an event, or one that has begun, and send the client's ack."""
        name, namespace, data = event.name, event.namespace, event.data
        try:
            handler = begun or self._find(name, namespace)
            # When something stands before the slot now, such as the admin UI, its call passes the watch by
            # itself.
            if handler is None and not self._host.event_is_ours:
                result = await self._host.trigger(name, namespace, sid, *data)
            else:
                times = self._times.get(name) or self._watch.times(name, namespace)
                began = perf_counter()
                if begun is None:
                    self._stats.events += 1
                else:
                    began -= begun.seconds
                try:
                    if handler is None:
                        result = self._inner(name, namespace, sid, *data)
                    else:
                        result = handler(sid, *data)
                    if isinstance(result, CoroutineType):
                        result = await result
                except asyncio.CancelledError:
                    if not self.stock:
                        raise
                    result = None  # as python-socketio's ``_trigger_event`` does
                except EXITS as error:
                    raise HandlerExit(name, error) from error
                finally:
                    took = perf_counter() - began  # this is times.observe, without the call
                    times.counts[bisect_left(BOUNDS, took)] += 1
                    times.total += took
            if event.ack_id is not None and result is not self._not_handled:
                wire = answer(event, result)
                if wire is not None:
                    lane.write_answer(wire)
                else:
                    await answer_generally(self._host, lane.socket.sid, sid, event, result)
        finally:
            if self._tasks and self._tasks.pop(event, None) is not None:
                self._handlers.end(lane.socket.sid)


def _no_handler(name: str, namespace: str) -> None:
    """Find no handler: the server runs its handlers in a way of its own."""
