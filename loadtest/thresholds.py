"""Thresholds: limits that decide about the exit code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Threshold:
    """One limit: which figure it is about, and whether that must not be above or below it."""

    option: str
    figure: str
    default: float | None
    help: str
    lowest: bool = False


def _build() -> dict[str, Threshold]:
    given = [
        Threshold("max-loss", "lost", 0, "deliveries that may be missing"),
        Threshold("max-duplicates", "duplicated", 0, "deliveries that may come twice"),
        Threshold("max-reordered", "reordered", 0, "deliveries that may come late in their stream"),
        Threshold("max-leaked", "leaked", 0, "deliveries that may come to somebody who should not get them"),
        Threshold(
            "max-missed-away", "missed_away", None, "deliveries missed by those who were away, and told so"
        ),
        Threshold("max-errors", "errors", 0, "failures that the scenario does not bring about itself"),
        Threshold(
            "min-expected", "expected", None, "deliveries that must be due (1 where messages flow)", True
        ),
        Threshold("min-connects", "connects", 1, "connections that must be made", True),
    ]
    given += [
        Threshold(f"{share}-ms", f"{share}_ms", None, f"{share} of the deliveries' latency, in ms")
        for share in ("p50", "p90", "p99")
    ]
    given.append(Threshold("call-p99-ms", "call_p99_ms", None, "p99 of the acks' round trips, in ms"))
    given.append(Threshold("connect-p99-ms", "connect_p99_ms", None, "p99 of connecting, in ms"))
    return {one.option: one for one in given}


THRESHOLDS = _build()
"""All limits by their option."""


def check(figures: Mapping[str, float | None], limits: Mapping[str, float | None]) -> list[dict[str, Any]]:
    """Compare the figures with the limits (by option); those that are not set are left out.

    A figure that could not be measured, such as the latency of no deliveries, does not hold its limit.
    """
    rows = []
    for option, threshold in THRESHOLDS.items():
        limit = limits.get(option)
        if limit is None:
            continue
        value = figures.get(threshold.figure)
        ok = value is not None and (value >= limit if threshold.lowest else value <= limit)
        rows.append({"name": option, "limit": limit, "value": value, "ok": ok})
    return rows
