"""``ClosedRooms``: when rooms were closed, for the clients that were away. Pure book-keeping."""

from __future__ import annotations

from socketio_cluster.manager.bus.stays import MOST_CLOSES


class ClosedRooms:
    """The numbers at which rooms were closed, by channel. Times are in seconds."""

    def __init__(self) -> None:
        self._closed: dict[str, tuple[list[int], float]] = {}

    def close(self, channel: str, number: int, floor: int, until: float) -> None:
        """Note that a room was closed. This is forgotten after a time.

        A client is owed nothing up to the ``floor``, so one number up to that is enough.
        """
        numbers = [*self._closed.get(channel, ([], 0.0))[0], number]
        while len(numbers) > MOST_CLOSES or (len(numbers) > 1 and numbers[1] <= floor):
            del numbers[0]
        self._closed[channel] = numbers, until

    def closed_at(self, channel: str, since: int) -> int:
        """Return the number at which a room was first closed after another one, or 0."""
        return next((number for number in self._closed.get(channel, ([], 0.0))[0] if number > since), 0)

    def expire(self, now: float) -> None:
        """Forget what is too old."""
        for channel in [channel for channel, (_, until) in self._closed.items() if until <= now]:
            del self._closed[channel]
