"""The ack that a greenlet waits for."""

from __future__ import annotations

from typing import Any

import gevent
from gevent.event import AsyncResult

from socketio_cluster.loadtest.errors import CallTimeout


def wait_for_ack(answer: AsyncResult, event: str, timeout: float) -> list[Any]:
    """Return the arguments of the ack for an event, or raise the error that came in its place.

    Raises CallTimeout after ``timeout`` seconds.
    """
    try:
        result: list[Any] | Exception = answer.get(timeout=timeout)
    except gevent.Timeout:
        raise CallTimeout(f"no ack for {event!r} within {timeout:g} s") from None
    if isinstance(result, Exception):
        raise result
    return result
