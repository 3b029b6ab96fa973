"""The callbacks of emits that wait for an answer (an ack) from a client.

A callback is called with the client's answer. If it has a method ``abandon``, that method is called instead
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

from socketio_cluster.manager.clients.client import Callback

logger = logging.getLogger("socketio_cluster.manager")

MAX_REMOTE: Final = 100_000
"""The most callbacks of one node that wait for clients of other nodes. They take about 50 MB.

When one more comes, the oldest is abandoned.
"""


class PendingAck(NamedTuple):
    """A callback that waits for a client's answer: since ``at`` and until ``until``, in seconds."""

    callback: Callback
    at: float
    until: float


def abandon(callback: Callback) -> None:
    """Call the method ``abandon`` of a callback, if it has one: no answer will come."""
    tell = getattr(callback, "abandon", None)
    if tell is not None:
        tell()


class RemoteAck:
    """A callback that the client's node keeps for an emit of another node.

    Args:
        answer: sends the client's answer to the emitting node.
        gone: tells the emitting node that the client is gone.
        seconds: how long the emitting node waits; None stands for the time that this node would wait.
    """

    __slots__ = ("_answer", "_gone", "seconds")

    def __init__(
        self, answer: Callable[[list[Any]], None], gone: Callable[[], None], seconds: float | None = None
    ) -> None:
        self._answer = answer
        self._gone = gone
        self.seconds = seconds

    def __call__(self, *arguments: Any) -> None:
        """Send the client's answer to the emitting node."""
        self._answer(list(arguments))

    def abandon(self) -> None:
        """Tell the emitting node that the client is gone."""
        self._gone()


class AckWaiter:
    """The callback of a ``call()``, which waits for one answer.

    Args:
        resolve: is called with the client's arguments, or with None if no answer can come.
        timeout: how many seconds the call waits; None means for ever.
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
        """End the wait without an answer."""
        self._resolve(None)

    def on_end(self, undo: Callable[[], object]) -> None:
        """Register a function that ``end`` calls."""
        self._ends.append(undo)

    def end(self) -> None:
        """Call the registered functions, because the wait is over."""
        for undo in self._ends:
            undo()


def seconds_of(callback: Callback, otherwise: float) -> float:
    """Return how many seconds a callback waits, or ``otherwise`` if it does not say so itself."""
    known = isinstance(callback, AckWaiter | RemoteAck) and callback.seconds is not None
    return callback.seconds if known else otherwise  # type: ignore[attr-defined]


class _Waiting(NamedTuple):
    callback: Callback
    node: str | None
    until: float


class RemoteAcks:
    """The callbacks that wait for clients of other nodes, by request number. Each is kept for a limited time.

    A callback for a single client (``node`` is its node) ends with the answer, or when the client or its node
    is gone. A callback for a room may be called once for each of several clients.

    Args:
        seconds: how long a callback waits if it does not say so itself.
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
        """Keep a callback and return its request number. May abandon the oldest one (``MAX_REMOTE``)."""
        self.expire(now)
        if len(self._waiting) >= MAX_REMOTE:
            self._drop_oldest()
        number = next(self._numbers)
        until = now + seconds_of(callback, self._seconds)
        self._waiting[number] = _Waiting(callback, node, until)
        self._ends.add(number, until)
        return number

    def waits(self, number: int, now: float) -> bool:
        """Whether a callback still waits for an answer."""
        waiting = self._waiting.get(number)
        return waiting is not None and now < waiting.until

    def answered(self, number: int) -> Callback | None:
        """Return the callback for an answer, or None if it does not wait any more."""
        waiting = self._waiting.get(number)
        if waiting is None:
            return None
        if waiting.node is not None:
            self.forget(number)
        return waiting.callback

    def forget(self, number: int) -> None:
        """Remove a callback, because its caller does not wait any more."""
        waiting = self._waiting.pop(number, None)
        if waiting is not None:
            self._ends.drop(number, waiting.until)

    def gone(self, number: int) -> None:
        """Abandon a callback whose client is gone.

        One for a room stays, as the room may have other clients.
        """
        waiting = self._waiting.get(number)
        if waiting is not None and waiting.node is not None:
            self.forget(number)
            abandon(waiting.callback)

    def node_gone(self, node: str) -> None:
        """Abandon all callbacks that wait for a client of this node."""
        for number, waiting in list(self._waiting.items()):
            if waiting.node == node:
                self.gone(number)

    def expire(self, now: float) -> None:
        """Remove the callbacks whose time is over. They are not told."""
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
    """Keys that expire, each at its own time in seconds. The cost of a key does not grow with their number.

    The keys are kept in slots of one second. A key with an infinite time never expires.
    """

    def __init__(self) -> None:
        self._slots: dict[int, set[Key]] = {}
        self._looked = -1

    def add(self, key: Key, until: float) -> None:
        """Add a key that expires at this time."""
        if isfinite(until):
            self._slots.setdefault(ceil(until), set()).add(key)

    def drop(self, key: Key, until: float) -> None:
        """Remove a key that was added with this time."""
        slot = self._slots.get(ceil(until)) if isfinite(until) else None
        if slot is not None:
            slot.discard(key)

    def due(self, now: float) -> list[Key]:
        """Remove and return the keys that have expired, up to a second late. Looks only once in a second."""
        second = int(now)
        if second == self._looked:
            return []
        self._looked = second
        over = [slot for slot in self._slots if slot <= second]
        return [key for slot in over for key in self._slots.pop(slot)]
