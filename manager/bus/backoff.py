"""The delay before the next attempt to connect. It grows exponentially and has jitter.

Half of the delay is fixed and half is random, so that nodes that were cut off together do not come back
together (the "equal jitter" of AWS's "Exponential Backoff And Jitter", 2015).
"""

from __future__ import annotations

from typing import Final

FIRST: Final = 0.1
AWAY: Final = 0.8
"""The longest delay while the bus is away, so that it is found within a second of its return.

A machine without a server refuses connections at almost no cost. 300 nodes together try 500 times a second.
"""
TROUBLE: Final = 5.0
"""The longest delay while the bus accepts this node and then fails, which costs the bus something."""


def delay(attempt: int, chance: float, longest: float) -> float:
    """Return the seconds before attempt number ``attempt`` (0 is the first). ``chance`` is random in 0..1."""
    ceiling: float = min(longest, FIRST * 2.0 ** min(attempt, 16))
    return ceiling * (0.5 + 0.5 * chance)
