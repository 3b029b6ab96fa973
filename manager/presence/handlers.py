"""The application's handlers of joins and leaves, and who calls them when."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Final

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.errors import FAILURES, BrokerError
from socketio_cluster.manager.presence.calls import Call
from socketio_cluster.manager.presence.held_room import HeldRoom
from socketio_cluster.manager.presence.meta import Meta, unpack_meta

if TYPE_CHECKING:
    from socketio_cluster.manager.member import ClusterMember

logger = logging.getLogger("socketio_cluster.manager")

AT_ONCE: Final = 100
"""The most handlers that run at the same time."""
TOLD_SECONDS: Final = 1.0
"""How long a call waits until the bus has the message to the other keeper."""

Handler = Callable[..., Any]


class Handlers:
    """The handlers of one server, by kind and namespace."""

    def __init__(self) -> None:
        self._handlers: defaultdict[tuple[Call, str], list[Handler]] = defaultdict(list)

    def register(self, call: Call, handler: Any, namespace: str | None) -> Any:
        """Register one more handler, and return it; without one, return a decorator that does so.

        Raises ``TypeError`` for what is no function.
        """

        def add(handler: Handler) -> Handler:
            if not callable(handler):
                raise TypeError(f"a presence handler must be a function, not {handler!r:.80}")
            self._handlers[call, namespace or "/"].append(handler)
            return handler

        return add if handler is None else add(handler)

    @property
    def any(self) -> bool:
        """Whether there are any."""
        return bool(self._handlers)

    def of(self, call: Call, namespace: str) -> list[Handler]:
        """Return the handlers to call."""
        return self._handlers.get((call, namespace), [])

    async def run(self, handler: Handler, room: Room, key: str, meta: Meta) -> None:
        """Run a handler."""
        result = handler(room, key, meta)
        if isawaitable(result):
            await result


class Calling:
    """Calls the handlers for the rooms of which this node is the first keeper.

    The calls for one key come one after the other. While a handler runs, or while too many run, changes of a
    key are not queued: it is looked at again afterwards.

    Args:
        manager: the manager of this node, whose ``presence`` has the handlers.
        called: tells the other keeper of a room of calls; returns the number of the envelope, or 0.
    """

    def __init__(self, manager: ClusterMember, called: Callable[[HeldRoom], int]) -> None:
        self._manager = manager
        self._called = called
        self._waiting: dict[tuple[int, str], HeldRoom] = {}
        self._running: set[tuple[int, str]] = set()
        self._again: set[tuple[int, str]] = set()

    def turn(self, room: HeldRoom, changed: Iterable[str]) -> None:
        """Note the keys that have changed in a room. ``fill`` calls the handlers."""
        if not self._calls(room):
            room.calls.follow(changed)
            return
        for key in changed:
            self._waiting[id(room), key] = room

    @property
    def _handlers(self) -> Handlers:
        return self._manager.presence.handlers

    def _calls(self, room: HeldRoom) -> bool:
        return room.keepers[:1] == (self._manager.node_id,)

    def fill(self) -> None:
        """Call the handlers for the keys that have come or gone, after the other keepers were told."""
        due: list[tuple[HeldRoom, tuple[int, str], list[Handler], bytes]] = []
        called: dict[int, HeldRoom] = {}
        while self._waiting and len(self._running) < AT_ONCE:
            place = next(iter(self._waiting))
            room = self._waiting.pop(place)
            if place in self._running:
                self._again.add(place)
            elif not room.found:
                room.uncalled[place[1]] = None
            elif self._calls(room) and (call := room.calls.next(place[1])):
                called[place[0]] = room
                handlers = self._handlers.of(call[0], room.id[0])
                if handlers:
                    self._running.add(place)
                    due.append((room, place, handlers, call[1]))
        numbers = {place: self._called(room) for place, room in called.items()}
        for room, place, handlers, meta in due:
            self._manager.spawn(self._run(room, place, handlers, meta, numbers[place[0]]))

    async def _on_the_bus(self, number: int) -> None:
        """Wait until the bus has an envelope, if it is reached: this node may die while a handler runs."""
        node = self._manager.node
        if number and node.publisher.up(number):
            with suppress(TimeoutError, BrokerError):
                await asyncio.wait_for(node.publisher.sent(number), TOLD_SECONDS)

    async def _run(
        self, room: HeldRoom, place: tuple[int, str], handlers: list[Handler], meta: bytes, told: int
    ) -> None:
        try:
            await self._on_the_bus(told)
            for handler in handlers:
                try:
                    await self._handlers.run(handler, room.id[1], place[1], unpack_meta(meta))
                except FAILURES:
                    logger.exception("a presence handler of room %r failed", room.id[1])
        finally:
            self._running.discard(place)
            if place in self._again:
                self._again.discard(place)
                self._waiting[place] = room
            self.fill()
