"""How long to wait before the next try: exponential with jitter.

Half of the delay is fixed and half random, so that nodes cut off together do not come back together
(the "equal jitter" of AWS's "Exponential Backoff And Jitter", 2015).
"""

from __future__ import annotations

from typing import Final

FIRST: Final = 0.1
AWAY: Final = 0.8
"""The longest pause while the bus is away, so that it is found within a second of its return. A server that
is away refuses a connection at no cost, and 300 nodes together try 500 times a second."""
TROUBLE: Final = 5.0
"""The longest pause while it lets this node in and then fails: that costs it something."""


def delay(attempt: int, chance: float, longest: float) -> float:
    """Seconds before try number ``attempt`` (0 is the first); ``chance`` is random in 0..1."""
    ceiling: float = min(longest, FIRST * 2.0 ** min(attempt, 16))
    return ceiling * (0.5 + 0.5 * chance)
