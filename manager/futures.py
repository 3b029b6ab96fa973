"""Small things asyncio lacks."""

from __future__ import annotations

import asyncio
import logging
from typing import TypeVar

logger = logging.getLogger("socketio_cluster.manager")

T = TypeVar("T")


def set_once(future: asyncio.Future[T], value: T) -> None:
    """Set a future's result, unless it has one or its waiter is gone."""
    if not future.done():
        future.set_result(value)


def log_error_of(task: asyncio.Task[None]) -> None:
    """Log the error of a task that nobody awaits (a done callback)."""
    if not task.cancelled() and task.exception() is not None:
        logger.critical("a task of the node ended", exc_info=task.exception())
