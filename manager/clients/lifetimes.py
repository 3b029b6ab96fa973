"""Things that end by themselves after some time, however many there are at the same cost each."""

from __future__ import annotations

from collections.abc import Hashable
from math import ceil, isfinite
from typing import Generic, TypeVar

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
