"""The times of recovery, all in seconds."""

from __future__ import annotations

from typing import Final

SLACK: Final = 5.0
"""For timers that are late and clocks that are not quite the same."""


class Times:
    """What follows from how long a client may be away.

    Args:
        seconds: how long a client may be away.
        ping: how long a connection may be dead before that is noticed: a ping's interval and its timeout.
    """

    def __init__(self, seconds: float, ping: float) -> None:
        self.away = seconds
        self.unnoticed = ping + SLACK
        """A connection that lives has taken everything that is older."""
        self.renewal = max(0.5, min(15.0, seconds / 4))
        """How often the sessions of connected clients are renewed."""
        self.session = seconds + 2 * self.renewal
        """How long a session lives when it is not renewed, because its node was killed."""
        self.history = seconds + self.unnoticed + 3 * self.renewal + SLACK
        """How long events are kept: those that a client did not get before its end was noticed count too."""
