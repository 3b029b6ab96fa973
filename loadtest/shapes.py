"""Shapes, which say how many users there are at each moment of a run."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

STEPS = 5
TEETH = 5


def ramp(share: float) -> float:
    """Add users evenly until the end."""
    return share


def steps(share: float) -> float:
    """Add a fifth of the users at a time, in five steps of equal length."""
    return (int(share * STEPS) + 1) / STEPS


def spike(share: float) -> float:
    """Keep a tenth of the users, but all of them in the middle fifth of the time."""
    return 1.0 if 0.4 <= share < 0.6 else 0.1


def soak(share: float) -> float:
    """Add all users within the first tenth of the time, and then keep them."""
    return min(1.0, share * 10)


def sawtooth(share: float) -> float:
    """Five times, add users from a tenth to all, and then remove those at once, so that they reconnect."""
    return 0.1 + 0.9 * (share * TEETH % 1)


SHAPES: dict[str, Callable[[float], float]] = {
    "ramp": ramp,
    "steps": steps,
    "spike": spike,
    "soak": soak,
    "sawtooth": sawtooth,
}
"""Each gives the share of the users (0 to 1) at a share of the time (0 up to 1)."""


def users_at(shape: str, second: float, users: int, seconds: float) -> int | None:
    """Return the number of users at this second of a run, at least one, or None when the run is over."""
    if second >= seconds:
        return None
    return max(1, ceil(users * min(1.0, SHAPES[shape](second / seconds))))
