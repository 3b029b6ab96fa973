"""Presence for threads: the calls of ``presence/presence.py``, each of which waits for its result."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.presence.events import PresenceEvents
from socketio_cluster.manager.presence.handlers import Handler, Handlers
from socketio_cluster.manager.presence.meta import Meta
from socketio_cluster.manager.presence.presence import Presence
from socketio_cluster.manager.sync.in_thread import in_thread

T = TypeVar("T")


class WaitFor(Protocol):
    """What runs a call of a node's presence."""

    def __call__(self, call: Callable[[Presence], Coroutine[Any, Any, T]]) -> T:
        """Run it on the loop of the node and wait; returns what it returns and raises what it raises."""


class BlockingPresence(PresenceEvents):
    """Who is in which room. Arguments, results and errors are those of ``Presence``; every call waits.

    Args:
        wait_for: runs a call on the loop of the node.
        server: returns the threaded server.
    """

    def __init__(self, wait_for: WaitFor, server: Callable[[], Any]) -> None:
        self._wait_for = wait_for
        self.handlers = ThreadedHandlers(server)

    def track(
        self,
        sid: str,
        room: Room,
        key: str | int | None = None,
        meta: Meta | None = None,
        *,
        namespace: str | None = None,
    ) -> None:
        """Put a client into a room and let it be present there."""
        self._wait_for(lambda presence: presence.track(sid, room, key, meta, namespace=namespace))

    def update(self, sid: str, room: Room, meta: Meta, *, namespace: str | None = None) -> None:
        """Change the meta of a client."""
        self._wait_for(lambda presence: presence.update(sid, room, meta, namespace=namespace))

    def untrack(self, sid: str, room: Room | None = None, *, namespace: str | None = None) -> None:
        """Let a client not be present any more, in a room or in all."""
        self._wait_for(lambda presence: presence.untrack(sid, room, namespace=namespace))

    def watch(self, sid: str, room: Room, *, namespace: str | None = None) -> None:
        """Put a client into a room, and tell it who is present, without its being present itself."""
        self._wait_for(lambda presence: presence.watch(sid, room, namespace=namespace))

    def list(self, room: Room, *, namespace: str | None = None) -> dict[str, list[Meta]]:
        """Return who is present in a room: the metas of each key."""
        return self._wait_for(lambda presence: presence.list(room, namespace=namespace))

    def count(self, room: Room, *, namespace: str | None = None) -> int:
        """Return how many keys are present in a room."""
        return self._wait_for(lambda presence: presence.count(room, namespace=namespace))


class ThreadedHandlers(Handlers):
    """Handlers of presence, each in a thread of its own.

    Args:
        server: returns the threaded server.
    """

    def __init__(self, server: Callable[[], Any]) -> None:
        super().__init__()
        self._server = server

    async def run(self, handler: Handler, room: Room, key: str, meta: Meta) -> None:
        """Run a handler."""
        await in_thread(self._server(), handler, room, key, meta)
