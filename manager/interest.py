"""Which channels this node needs, and which of them it has taken on the bus."""

from __future__ import annotations


class Interest:
    """Wanted and taken channels; the link brings the second in line with the first."""

    def __init__(self) -> None:
        self.wanted: set[str] = set()
        self.taken: set[str] = set()
        self._changed: set[str] = set()

    def want(self, channel: str) -> None:
        """Need the channel from now on."""
        self.wanted.add(channel)
        self._changed.add(channel)

    def drop(self, channel: str) -> None:
        """Need the channel no more."""
        self.wanted.discard(channel)
        self._changed.add(channel)

    def lost(self) -> None:
        """The connection is gone, and every subscription with it."""
        self.taken.clear()
        self._changed = set(self.wanted)

    def changes(self) -> tuple[list[str], list[str]]:
        """What to take and what to give up, by the changes since the last call."""
        changed, self._changed = self._changed, set()
        take = [channel for channel in changed if channel in self.wanted and channel not in self.taken]
        give = [channel for channel in changed if channel not in self.wanted and channel in self.taken]
        return take, give

    def done(self, took: list[str], gave: list[str]) -> None:
        """The bus has confirmed these."""
        self.taken.update(took)
        self.taken.difference_update(gave)
