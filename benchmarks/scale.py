"""How much is measured: in full, quickly, or as the command line says."""

from __future__ import annotations

import resource
from dataclasses import dataclass

SPARE_FILES = 200
"""Descriptors that a node needs for other things than clients."""


@dataclass(frozen=True, kw_only=True)
class Scale:
    """The size of each measurement.

    Args:
        rounds: how often each is repeated.
        clients: connections of the rows in which messages flow.
        seconds: how long messages flow.
        idle: connections of the row that measures memory.
        crowd: connections of the row with very many on one node; 0 leaves it out.
    """

    rounds: int
    clients: int
    seconds: float
    idle: int
    crowd: int


FULL = Scale(rounds=3, clients=1000, seconds=3, idle=2000, crowd=20_000)
QUICK = Scale(rounds=1, clients=1000, seconds=1, idle=1000, crowd=0)


def open_files() -> int:
    """Raise the limit of open files for this process and its children as far as allowed; gives it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def fitting(connections: int) -> int:
    """As many of these connections as one process may have open here."""
    return min(connections, open_files() - SPARE_FILES)
