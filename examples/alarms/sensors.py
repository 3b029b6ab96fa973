"""What the thermometers would say: made up, but the same for every node that looks at the same time."""

from __future__ import annotations

from math import sin, tau
from typing import NamedTuple


class Reading(NamedTuple):
    """Degrees Celsius and per cent of relative humidity."""

    temperature: float
    humidity: float


class Limits(NamedTuple):
    """Between which temperatures, and up to which humidity, goods keep."""

    coldest: float
    warmest: float
    wettest: float


def measure(storehouse: int, limits: Limits, second: int) -> Reading:
    """Give what a storehouse's sensors say in this second of the Unix time.

    Slow waves stay within the limits; every few minutes the door stands open for a while.
    """
    slow = sin(tau * second / (170 + 13 * storehouse) + storehouse)
    quick = sin(tau * second / 11 + 2 * storehouse)
    opened = (second + 47 * storehouse) % (120 + 20 * storehouse) < 15
    half = (limits.warmest - limits.coldest) / 2
    temperature = limits.coldest + half * (1 + 0.5 * slow + 0.1 * quick + (1 if opened else 0))
    humidity = limits.wettest - 14 + 5 * slow + quick + (15 if opened else 0)
    return Reading(round(temperature, 1), round(humidity, 1))


def wrong(reading: Reading, limits: Limits) -> dict[str, float]:
    """What is beyond the limits: ``{"too warm": 8.3}``."""
    found = {}
    if reading.temperature > limits.warmest:
        found["too warm"] = reading.temperature
    if reading.temperature < limits.coldest:
        found["too cold"] = reading.temperature
    if reading.humidity > limits.wettest:
        found["too humid"] = reading.humidity
    return found
