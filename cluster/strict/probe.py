"""The probe of a client that upgrades to a WebSocket. When it is answered, one poll may end at once.

A client that has read the answer lets its poll end before it upgrades. It may have sent that poll before it
read the answer, and after another one was ended for the upgrade.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any


def probe_answered(socket: Any) -> None:
    """Let a poll end: the one that waits, or else the next one."""
    _answer_of(socket).set()


async def until_probe_answered(socket: Any, seconds: float) -> None:
    """Return when the probe is answered, and no poll has ended for that, or after so many seconds."""
    answer = _answer_of(socket)
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await answer.wait()
    answer.clear()


def _answer_of(socket: Any) -> asyncio.Event:
    found: asyncio.Event | None = getattr(socket, "probe_answer", None)
    if found is None:
        found = socket.probe_answer = asyncio.Event()
    return found
