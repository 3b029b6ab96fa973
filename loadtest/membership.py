"""A membership: the time from joining a target to leaving it, as far as a client can know it."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from math import inf
from typing import Any


@dataclass
class Membership:
    """One stay of one receiver; times in seconds, infinite while they have not come.

    Between `asked` and `joined`, and between `leaving` and `left`, it may or may not be one for the server.
    """

    asked: float
    joined: float = inf
    leaving: float = inf
    left: float = inf
    lost: bool = False
    """Whether the connection broke, rather than that the client chose to go."""

    def dump(self) -> list[Any]:
        """A plain list for the wire between workers."""
        return list(astuple(self))
