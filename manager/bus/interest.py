"""Which channels this node needs, and which of them it has taken on the bus."""

from __future__ import annotations


class Interest:
    """Wanted and taken channels; the link brings the second in line with the first."""

    def __init__(self) -> None:
        self.wanted: set[str] = set()
        self.taken: set[str] = set()
        self._changed: set[str] = set()
        self.version = 0
        """Another number whenever the wanted channels are others."""

    def want(self, channel: str) -> None:
        """Need the channel from now on."""
        self.wanted.add(channel)
        self._changed.add(channel)
        self.version += 1

    def drop(self, channel: str) -> None:
        """Need the channel no more."""
        self.wanted.discard(channel)
        self._changed.add(channel)
        self.version += 1

    def lost(self) -> None:
        """The connection is gone, and every subscription with it."""
        self.taken.clear()
        self._changed = set(self.wanted)

    def changes(self) -> tuple[list[str], list[str]]:
        """What to take and what to give up, by the changes since the last call.

        What is to be given up counts as not taken from here on: a wish for it that comes while the bus is
        being told has to take it anew.
        """
        changed, self._changed = self._changed, set()
        take = [channel for channel in changed if channel in self.wanted and channel not in self.taken]
        give = [channel for channel in changed if channel not in self.wanted and channel in self.taken]
        self.taken.difference_update(give)
        return take, give

    def took(self, channels: list[str]) -> None:
        """Note what the bus has confirmed."""
        self.taken.update(channels)
