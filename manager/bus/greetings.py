"""Who has come to the bus and is still to be told that this node is there."""

from __future__ import annotations

from typing import Final

PAUSE: Final = 0.5
"""Seconds between two answers: however many hellos come meanwhile, one beat answers all."""
FEW: Final = 4
"""So many are answered in their inboxes; for more one envelope to everybody costs less."""


class Greetings:
    """Hellos that wait for an answer; times are seconds."""

    def __init__(self) -> None:
        self._from: set[str] = set()
        self._next = 0.0

    def heard(self, origin: str) -> None:
        """Note a hello."""
        self._from.add(origin)

    def due(self, now: float) -> set[str]:
        """Whom to answer now."""
        if not self._from or now < self._next:
            return set()
        due, self._from, self._next = self._from, set(), now + PAUSE
        return due
