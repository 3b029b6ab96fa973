"""One small thing asyncio lacks."""

from __future__ import annotations

import asyncio
from typing import TypeVar

T = TypeVar("T")


def settle(future: asyncio.Future[T], value: T) -> None:
    """Set a future's result, unless it has one or its waiter is gone."""
    if not future.done():
        future.set_result(value)
