"""Numbers for people: short texts, and round values for an axis."""

from __future__ import annotations

from math import ceil, floor, log10


def short(value: float) -> str:
    """Three digits that matter, thousands as k and millions as M: 0.012, 3.4, 120, 2500, 48.3k."""
    if abs(value) >= 1e6:
        return f"{value / 1e6:.3g}M"
    if abs(value) >= 1e4:
        return f"{value / 1e3:.3g}k"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def clock(seconds: float) -> str:
    """A time since the start: 20 s, 3:20, 1:00:00."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def ticks(top: float, about: int = 4) -> list[float]:
    """Round values from 0 to the first that is not below ``top``."""
    if top <= 0:
        return [0.0, 1.0]
    raw = top / about
    power = 10.0 ** floor(log10(raw))
    step = next(one * power for one in (1, 2, 2.5, 5, 10) if one * power >= raw * 0.999)
    return [round(step * number, 12) for number in range(ceil(top / step - 1e-9) + 1)]


def decades(low: float, high: float) -> list[float]:
    """Powers of ten from one not above ``low`` to one not below ``high``; both above 0."""
    first, last = floor(log10(low) + 1e-9), ceil(log10(high) - 1e-9)
    return [10.0**power for power in range(first, max(last, first + 1) + 1)]


def moments(seconds: float) -> list[float]:
    """Round times from 0 to within ``seconds``, about four of them."""
    steps = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
    step = next((one for one in steps if one * 4.5 >= seconds), steps[-1])
    return [float(step * number) for number in range(int(seconds // step) + 1)]
