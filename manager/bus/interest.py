"""``Interest``: the channels that this node needs, and those that it is subscribed to."""

from __future__ import annotations

from collections.abc import Iterable, Set


class Interest:
    """Wanted and taken channels. The link subscribes and unsubscribes until both are the same.

    The keys of a dict take half the memory that a set of many channels takes.
    """

    def __init__(self) -> None:
        self._wanted: dict[str, None] = {}
        self._taken: dict[str, None] = {}
        self._changed: dict[str, None] = {}
        self.version = 0
        """A number that changes whenever the wanted channels change."""

    @property
    def wanted(self) -> Set[str]:
        """The channels that this node needs."""
        return self._wanted.keys()

    @property
    def taken(self) -> Set[str]:
        """The channels that the bus has confirmed."""
        return self._taken.keys()

    def want(self, channel: str) -> None:
        """Add a channel to the wanted ones."""
        self._wanted[channel] = None
        self._changed[channel] = None
        self.version += 1

    def drop(self, channel: str) -> None:
        """Remove a channel from the wanted ones."""
        self._wanted.pop(channel, None)
        self._changed[channel] = None
        self.version += 1

    def has(self, channel: str) -> bool:
        """Whether a channel is both wanted and taken."""
        return channel in self._taken and channel in self._wanted

    def settled(self, channel: str) -> bool:
        """Whether a channel is both wanted and taken, or neither."""
        return (channel in self._taken) is (channel in self._wanted)

    def lost(self) -> None:
        """Note that the connection has ended, and every subscription with it."""
        self._taken = {}
        self._changed = dict(self._wanted)

    def changes(self) -> tuple[list[str], list[str]]:
        """Return the channels to subscribe to and those to unsubscribe from, since the last call.

        The latter count as not taken from now on. If one of them is wanted again while the bus is being told,
        it has to be subscribed to again.
        """
        changed, self._changed = self._changed, {}
        wanted, taken = self._wanted, self._taken
        take = [channel for channel in changed if channel in wanted and channel not in taken]
        give = [channel for channel in changed if channel not in wanted and channel in taken]
        for channel in give:
            del taken[channel]
        return take, give

    def took(self, channels: Iterable[str]) -> None:
        """Note the channels that the bus has confirmed."""
        self._taken.update(dict.fromkeys(channels))
