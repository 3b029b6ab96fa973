"""Watches the handlers of a server.

It counts events, times handlers, and counts the reasons of disconnects.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from time import perf_counter
from typing import Any, Final

from socketio.exceptions import ConnectionRefusedError as SocketIORefused

from socketio_cluster.manager.client_manager import ClusterManager
from socketio_cluster.manager.stats import Histogram

NAME: Final = "watch"
OTHER: Final = "other"
"""The name under which events and reasons are counted that have no counter of their own."""
MOST_EVENTS: Final = 100
MOST_REASONS: Final = 30
"""Names that are counted apart. Clients and applications choose them, so a page could grow without end."""


class Watch:
    """Stands before the function by which a server runs every handler of the application.

    A lane calls ``inner`` and measures the time itself, which saves a coroutine for each event.

    Args:
        manager: the manager of the server, in whose ``stats`` all is counted.
    """

    def __init__(self, manager: ClusterManager) -> None:
        self._stats = manager.stats
        self._server = manager.server
        self._other = manager.stats.handler_seconds.setdefault(OTHER, Histogram())
        self.seconds = manager.stats.handler_seconds
        self.inner: Callable[..., Any]
        """The function that runs a handler without the watch."""
        manager.host.event.put(NAME, self._before)

    def _before(self, inner: Callable[..., Any]) -> Callable[..., Any]:
        self.inner = inner
        return self.trigger

    def trigger(self, event: str, namespace: str, *args: Any) -> Coroutine[Any, Any, Any]:
        """Return the coroutine that runs a handler."""
        if event in ("connect", "disconnect"):
            return self._notice(event, namespace, args)
        return self._event(event, namespace, args)

    async def _event(self, event: str, namespace: str, args: tuple[Any, ...]) -> Any:
        self._stats.events += 1
        began = perf_counter()
        try:
            return await self.inner(event, namespace, *args)
        finally:
            self.times(event, namespace).observe(perf_counter() - began)

    async def _notice(self, event: str, namespace: str, args: tuple[Any, ...]) -> Any:
        if event == "disconnect":
            self._left(str(args[1]) if len(args) > 1 else OTHER)
        try:
            result = await self.inner(event, namespace, *args)
        except (SocketIORefused, ConnectionRefusedError):
            self._stats.turned_away["application"] += 1
            raise
        if event == "connect" and result is False:
            self._stats.turned_away["application"] += 1
        return result

    def _left(self, reason: str) -> None:
        counts = self._stats.disconnects
        counts[reason if reason in counts or len(counts) < MOST_REASONS else OTHER] += 1

    def times(self, event: str, namespace: str) -> Histogram:
        """Return the histogram for an event: its own when a handler has its name, or the one of OTHER."""
        found = self.seconds.get(event)
        if found is not None:
            return found
        if len(self.seconds) >= MOST_EVENTS or not self._registered(event, namespace):
            return self._other
        return self.seconds.setdefault(event, Histogram())

    def _registered(self, event: str, namespace: str) -> bool:
        server = self._server
        for name in (namespace, "*"):
            if event != "*" and event in server.handlers.get(name, ()):
                return True
            if hasattr(server.namespace_handlers.get(name), f"on_{event}"):
                return True
        return False


class Watching:
    """The layer that gives each server a watch."""

    name = NAME

    def install(self, manager: ClusterManager) -> Watch:
        """Watch the handlers of a manager's server."""
        return Watch(manager)
