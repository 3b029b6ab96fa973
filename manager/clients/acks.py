"""Callbacks of emits, on the node that emitted and on the node of the client.

A callback is called with the client's answer. If it has a method ``abandon``, that is called instead
when no answer can come any more.
"""

from __future__ import annotations

import logging
import math
from collections import OrderedDict
from collections.abc import Callable, Hashable
from itertools import count
from math import ceil, isfinite
from typing import Any, Final, Generic, NamedTuple, TypeVar

from socketio_cluster.manager.clients.rooms import Callback

logger = logging.getLogger("socketio_cluster.manager")

MAX_REMOTE: Final = 100_000
"""Callbacks of one node that wait for clients of others; one more, and the oldest goes: some 50 MB."""


class PendingAck(NamedTuple):
    """A callback that waits for a client's answer: since when, and until when."""

    callback: Callback
    at: float
    until: float


def abandon(callback: Callback) -> None:
    """Tell a callback that nobody will call it."""
    tell = getattr(callback, "abandon", None)
    if tell is not None:
        tell()


class RemoteAck:
    """The callback that a client's node keeps for an emit of another node."""

    __slots__ = ("_answer", "_gone", "seconds")

    def __init__(
        self, answer: Callable[[list[Any]], None], gone: Callable[[], None], seconds: float | None = None
    ) -> None:
        self._answer = answer
        self._gone = gone
        self.seconds = seconds
        """How long the emitting node waits; None: as long as this one would."""

    def __call__(self, *arguments: Any) -> None:
        """Send the client's answer to the emitting node."""
        self._answer(list(arguments))

    def abandon(self) -> None:
        """Tell the emitting node that the client is gone."""
        self._gone()


class AckWaiter:
    """The callback of a ``call()``: what it waits for, and what to undo when it does not wait any more.

    ``resolve`` is called with the client's arguments, or with None when no answer can come. ``timeout`` is
    how long the call waits, in seconds; None: for ever.
    """

    def __init__(
        self, resolve: Callable[[tuple[Any, ...] | None], None], timeout: float | None = None
    ) -> None:
        self.seconds = math.inf if timeout is None else timeout
        self._resolve = resolve
        self._ends: list[Callable[[], object]] = []

    def __call__(self, *arguments: Any) -> None:
        """End the wait with the client's answer."""
        self._resolve(arguments)

    def abandon(self) -> None:
        """End the wait: nobody will answer."""
        self._resolve(None)

    def on_end(self, undo: Callable[[], object]) -> None:
        """Note what to undo."""
        self._ends.append(undo)

    def end(self) -> None:
        """Undo: the wait is over."""
        for undo in self._ends:
            undo()


def seconds_of(callback: Callback, otherwise: float) -> float:
    """How long a callback waits."""
    known = isinstance(callback, AckWaiter | RemoteAck) and callback.seconds is not None
    return callback.seconds if known else otherwise  # type: ignore[attr-defined]


class _Waiting(NamedTuple):
    callback: Callback
    node: str | None
    until: float


class RemoteAcks:
    """Callbacks that wait for clients of other nodes, by request number; each is kept for a time.

    One for a single client (``node`` is its node) ends with the answer, or when client or node are gone.
    One for a room may be called by several clients.

    Args:
        seconds: how long a callback waits that does not say so itself.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._numbers = count(1)
        self._waiting: OrderedDict[int, _Waiting] = OrderedDict()
        self._ends: Lifetimes[int] = Lifetimes()
        self._too_many = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def expect(self, callback: Callback, node: str | None, now: float) -> int:
        """Keep a callback; returns its request number."""
        self.expire(now)
        if len(self._waiting) >= MAX_REMOTE:
            self._drop_oldest()
        number = next(self._numbers)
        until = now + seconds_of(callback, self._seconds)
        self._waiting[number] = _Waiting(callback, node, until)
        self._ends.add(number, until)
        return number

    def answered(self, number: int) -> Callback | None:
        """The callback to call; None when nobody waits any more."""
        waiting = self._waiting.get(number)
        if waiting is None:
            return None
        if waiting.node is not None:
            self.forget(number)
        return waiting.callback

    def forget(self, number: int) -> None:
        """Drop a callback that its caller does not wait for any more."""
        waiting = self._waiting.pop(number, None)
        if waiting is not None:
            self._ends.drop(number, waiting.until)

    def gone(self, number: int) -> None:
        """The client is gone; a room may have others."""
        waiting = self._waiting.get(number)
        if waiting is not None and waiting.node is not None:
            self.forget(number)
            abandon(waiting.callback)

    def node_gone(self, node: str) -> None:
        """No client of this node will answer."""
        for number, waiting in list(self._waiting.items()):
            if waiting.node == node:
                self.gone(number)

    def expire(self, now: float) -> None:
        """Let go of those that were kept long enough."""
        for number in self._ends.due(now):
            self._waiting.pop(number, None)

    def _drop_oldest(self) -> None:
        number = next(iter(self._waiting))
        callback = self._waiting[number].callback
        self.forget(number)
        self._too_many += 1
        if self._too_many in (1, 10, 100, 1000, 10000):
            logger.warning(
                "more than %d acks are awaited: let the oldest go (%d so far)", MAX_REMOTE, self._too_many
            )
        abandon(callback)


Key = TypeVar("Key", bound=Hashable)


class Lifetimes(Generic[Key]):
    """Keys in slots of a second, each by the time of its end in seconds; one that is infinite never comes."""

    def __init__(self) -> None:
        self._slots: dict[int, set[Key]] = {}
        self._looked = -1

    def add(self, key: Key, until: float) -> None:
        """Note when a key ends."""
        if isfinite(until):
            self._slots.setdefault(ceil(until), set()).add(key)

    def drop(self, key: Key, until: float) -> None:
        """Forget a key that was added with this time."""
        slot = self._slots.get(ceil(until)) if isfinite(until) else None
        if slot is not None:
            slot.discard(key)

    def due(self, now: float) -> list[Key]:
        """Give and forget the keys whose end has come, up to a second late; looks once a second."""
        second = int(now)
        if second == self._looked:
            return []
        self._looked = second
        over = [slot for slot in self._slots if slot <= second]
        return [key for slot in over for key in self._slots.pop(slot)]
