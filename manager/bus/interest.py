"""``Interest``: the channels that this node needs, and those that it is subscribed to."""

from __future__ import annotations

from collections.abc import Iterable


class Interest:
    """Wanted and taken channels. The link subscribes and unsubscribes until both are the same."""

    def __init__(self) -> None:
        self.wanted: set[str] = set()
        self.taken: set[str] = set()
        self._changed: set[str] = set()
        self.version = 0
        """A number that changes whenever the wanted channels change."""

    def want(self, channel: str) -> None:
        """Add a channel to the wanted ones."""
        self.wanted.add(channel)
        self._changed.add(channel)
        self.version += 1

    def drop(self, channel: str) -> None:
        """Remove a channel from the wanted ones."""
        self.wanted.discard(channel)
        self._changed.add(channel)
        self.version += 1

    def lost(self) -> None:
        """Note that the connection has ended, and every subscription with it."""
        self.taken.clear()
        self._changed = set(self.wanted)

    def changes(self) -> tuple[list[str], list[str]]:
        """Return the channels to subscribe to and those to unsubscribe from, since the last call.

        The latter count as not taken from now on. If one of them is wanted again while the bus is being told,
        it has to be subscribed to again.
        """
        changed, self._changed = self._changed, set()
        take = [channel for channel in changed if channel in self.wanted and channel not in self.taken]
        give = [channel for channel in changed if channel not in self.wanted and channel in self.taken]
        self.taken.difference_update(give)
        return take, give

    def took(self, channels: Iterable[str]) -> None:
        """Note the channels that the bus has confirmed."""
        self.taken.update(channels)
