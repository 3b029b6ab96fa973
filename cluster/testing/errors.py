"""``NotReceived``: what a test client waits for has not come."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class NotReceived(AssertionError):
    """What a test client waits for has not come; the text says what has come instead."""


def not_received(what: str, seconds: float, came: Iterable[tuple[str, Any]], *, gone: bool) -> NotReceived:
    """Return the error for something that has not come in so many seconds, or before the connection ended."""
    when = "before the server ended the connection" if gone else f"within {seconds:g} s"
    others = ", ".join(f"{event!r} with {data!r:.200}" for event, data in came)
    return NotReceived(
        f"{what} has not come {when}; " + (f"waiting are {others}" if others else "nothing is waiting")
    )
