"""Callbacks of emits, on the node that emitted and on the node of the client.

A callback is called with the client's answer. If it has a method ``abandon``, that is called instead
when no answer can come any more.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any, NamedTuple

from socketio_cluster.manager.clients.rooms import Callback


def abandon(callback: Callback) -> None:
    """Tell a callback that nobody will call it."""
    tell = getattr(callback, "abandon", None)
    if tell is not None:
        tell()


class RemoteAck:
    """The callback that a client's node keeps for an emit of another node."""

    __slots__ = ("_answer", "_gone")

    def __init__(self, answer: Callable[[list[Any]], None], gone: Callable[[], None]) -> None:
        self._answer = answer
        self._gone = gone

    def __call__(self, *arguments: Any) -> None:
        """Send the client's answer to the emitting node."""
        self._answer(list(arguments))

    def abandon(self) -> None:
        """Tell the emitting node that the client is gone."""
        self._gone()


class Answer:
    """The callback of a ``call()``: what it waits for, and what to undo when it does not wait any more.

    ``resolve`` is called with the client's arguments, or with None when no answer can come.
    """

    def __init__(self, resolve: Callable[[tuple[Any, ...] | None], None]) -> None:
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


class _Waiting(NamedTuple):
    callback: Callback
    node: str | None
    until: float


class Acks:
    """Callbacks that wait for clients of other nodes, by request number.

    One for a single client (``node`` is its node) ends with the answer, or when client or node are gone.
    One for a room may be called by several clients, and is kept for a time.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._numbers = count(1)
        self._waiting: dict[int, _Waiting] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def expect(self, callback: Callback, node: str | None, now: float) -> int:
        """Keep a callback; returns its request number."""
        self.expire(now)
        number = next(self._numbers)
        self._waiting[number] = _Waiting(callback, node, now + self._seconds)
        return number

    def answered(self, number: int) -> Callback | None:
        """The callback to call; None when nobody waits any more."""
        waiting = self._waiting.get(number)
        if waiting is None:
            return None
        if waiting.node is not None:
            del self._waiting[number]
        return waiting.callback

    def forget(self, number: int) -> None:
        """Drop a callback that its caller does not wait for any more."""
        self._waiting.pop(number, None)

    def gone(self, number: int) -> None:
        """The client is gone; a room may have others."""
        waiting = self._waiting.get(number)
        if waiting is not None and waiting.node is not None:
            del self._waiting[number]
            abandon(waiting.callback)

    def node_gone(self, node: str) -> None:
        """No client of this node will answer."""
        for number, waiting in list(self._waiting.items()):
            if waiting.node == node:
                self.gone(number)

    def expire(self, now: float) -> None:
        """Let go the callbacks of rooms that were kept long enough."""
        for number, waiting in list(self._waiting.items()):
            if waiting.until > now:
                return  # in the order of their ends
            if waiting.node is None:
                del self._waiting[number]
