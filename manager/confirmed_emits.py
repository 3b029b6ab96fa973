"""Emits that nobody gets before the bus has them, so that one that has failed can be made again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from socketio_cluster.manager.bus.query_messages import Recipients
from socketio_cluster.manager.clients.packets import Encoded
from socketio_cluster.manager.errors import BrokerError
from socketio_cluster.manager.queries.selective_emits import is_selective, route, selective
from socketio_cluster.manager.recovery.recording import post_recorded, recorded

if TYPE_CHECKING:
    from socketio_cluster.manager.client_manager import ClusterManager
    from socketio_cluster.manager.queries.selection import Aim


class Outcome(StrEnum):
    """What has become of an event."""

    EMITTED = "emitted"
    NOT_EMITTED = "not_emitted"
    """Nobody gets it."""
    UNCERTAIN = "uncertain"
    """The connection broke while it was on its way to the bus: all get it, or only the other nodes' clients,
    or nobody."""


class ReadyEvent(NamedTuple):
    """An encoded event and its recipients."""

    encoded: Encoded
    whom: Recipients
    volatile: bool = False


class ConfirmedEmits:
    """Publishes events, and hands each to the clients of this node when the bus has it.

    Args:
        manager: the manager of a server that is started.
    """

    def __init__(self, manager: ClusterManager) -> None:
        self._manager = manager

    def encode(self, event: str, arguments: Sequence[Any], aim: Aim, *, volatile: bool) -> ReadyEvent:
        """Encode an event. Raises ``ValueError`` and ``TypeError`` for one that no client could read."""
        encoded = self._manager.selective_emits.encode(event, tuple(arguments), aim, None)
        return ReadyEvent(encoded, aim.recipients, volatile)

    async def emit(self, events: Sequence[ReadyEvent], seconds: float) -> list[Outcome]:
        """Emit events in their order. Returns the outcome of each, within about so many seconds.

        Raises ``EventTooLarge`` for one that the bus or the buffer cannot hold; then none is emitted.
        """
        if self._manager.recovery is not None and any(event.volatile for event in events):
            await self._manager.recovery.in_order()
        numbers = self._post(events)
        until = asyncio.get_running_loop().time() + seconds
        try:
            return [
                await self._finish(event, number, until)
                for event, number in zip(events, numbers, strict=True)
            ]
        except asyncio.CancelledError:
            self._withdraw(numbers)
            raise

    def _post(self, events: Sequence[ReadyEvent]) -> list[int]:
        """Post all events or, with an error, none: nothing is sent before this returns."""
        numbers: list[int] = []
        try:
            for event in events:
                numbers.append(self._post_one(event))  # noqa: PERF401  # an error leaves those before it
        except BaseException:
            self._withdraw(numbers)
            raise
        return numbers

    def _post_one(self, event: ReadyEvent) -> int:
        manager, whom = self._manager, event.whom
        if manager.recovery is not None and not event.volatile:
            return post_recorded(manager.node, recorded(event.encoded, whom, []))
        if not (is_selective(whom) or event.volatile):
            return manager.remote.emit(event.encoded, whom.namespace, whom.rooms, [])
        channels = route(manager.remote, whom)
        message = selective(event.encoded, whom, volatile=event.volatile)
        return manager.node.post(message, *channels) if channels else 0

    def _withdraw(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            if number:
                self._manager.node.publisher.withdraw(number)

    async def _finish(self, event: ReadyEvent, number: int, until: float) -> Outcome:
        publisher = self._manager.node.publisher
        try:
            async with asyncio.timeout_at(until):
                if not await publisher.sent(number):
                    return Outcome.NOT_EMITTED
        except BrokerError:
            return Outcome.NOT_EMITTED
        except TimeoutError:
            return Outcome.NOT_EMITTED if publisher.withdraw(number) else Outcome.UNCERTAIN
        await self._deliver(event)
        return Outcome.EMITTED

    async def _deliver(self, event: ReadyEvent) -> None:
        """Hand an event to the clients of this node, unless it comes back from the bus for them."""
        manager, whom, reached = self._manager, event.whom, 0
        manager.stats.emitted += 1
        if is_selective(whom) or event.volatile:
            if manager.recovery is None or event.volatile:
                message = selective(event.encoded, whom, volatile=event.volatile)
                reached = manager.selective_emits.deliver(message, whom.rooms)
        elif manager.recovery is None:
            reached = manager.fanout.deliver(event.encoded, whom.namespace, whom.rooms, [])
        if manager.backpressure.emitted(event.encoded.size):
            await manager.backpressure.ease(reached)
