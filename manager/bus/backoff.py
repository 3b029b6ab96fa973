"""How long to wait before the next try: exponential with jitter.

Half of the delay is fixed and half random, so that nodes cut off together do not come back together
(the "equal jitter" of AWS's "Exponential Backoff And Jitter", 2015).
"""

from __future__ import annotations

from typing import Final

FIRST: Final = 0.1
LAST: Final = 5.0


def delay(attempt: int, chance: float) -> float:
    """Seconds before try number ``attempt`` (0 is the first); ``chance`` is random in 0..1."""
    ceiling: float = min(LAST, FIRST * 2.0 ** min(attempt, 16))
    return ceiling * (0.5 + 0.5 * chance)
