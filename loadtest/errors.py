"""What may go wrong between a load-test client and a server; each text is a sentence for people."""

from __future__ import annotations

from typing import Any


class LoadTestError(Exception):
    """All of these."""


class Unreachable(LoadTestError):
    """Nobody accepts connections at the address, or it went away meanwhile."""


class NotSocketIO(LoadTestError):
    """What answers there does not speak Socket.IO, or turns new connections away with an HTTP status."""


class Refused(LoadTestError):
    """The server answered CONNECT_ERROR; `data` is what it said."""

    def __init__(self, text: str, data: Any = None) -> None:
        super().__init__(text)
        self.data = data


class Disconnected(LoadTestError):
    """The connection ended, or there is none."""


class CallTimeout(LoadTestError):
    """The server did not acknowledge an event in time."""
