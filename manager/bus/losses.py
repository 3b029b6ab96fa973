"""``Losses``: which channels have lost events that the bus was to keep and never got. Pure book-keeping."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from socketio_cluster.manager.bus.channels import Channels

MOST_CHANNELS: Final = 64
"""With more channels whole namespaces are named, so that what is said of a long outage is short."""


class Losses:
    """The channels since the last time that they were told."""

    def __init__(self) -> None:
        self._channels: dict[str, None] = {}

    def add(self, channels: Iterable[str]) -> None:
        """Note an event that was to be kept in the history of these channels; none for any other event."""
        self._channels.update(dict.fromkeys(channels))
        if len(self._channels) > MOST_CHANNELS:
            self._channels = dict.fromkeys(map(Channels.namespace_of, self._channels))

    def take(self) -> tuple[str, ...]:
        """Return the channels, and begin anew."""
        channels, self._channels = tuple(self._channels), {}
        return channels
