"""What a Redis server says of itself: whether it is the primary, and how large a message may be."""

from __future__ import annotations

from typing import Final

from socketio_cluster.manager.brokers.redis_line import RedisLine
from socketio_cluster.manager.errors import WrongServer

MARGIN: Final = 1024 * 1024
"""Bytes left below each of the server's limits, for what goes with a message or waits in front of it."""

DEFAULT_OUTPUT: Final = 32 * 1024 * 1024
"""``client-output-buffer-limit`` of subscribers where nobody has changed it; hosted servers do not tell."""


async def check_primary(line: RedisLine) -> bool:
    """Raise ``WrongServer`` for a replica; False when the server does not tell its role.

    A replica takes PUBLISH and hands it to its own subscribers only, so those of the primary hear nothing.
    """
    role = await line.try_ask("ROLE")
    if role is None:
        return False
    if role[0] != b"master":
        raise WrongServer(
            f"Redis at {line.name} is not the primary (any more): nobody else hears what is published there"
        )
    return True


async def find_limit(line: RedisLine) -> int:
    """Ask for the bytes of the largest message that the server takes and hands on.

    It closes the connection of a publisher above the first two limits, and that of every subscriber above
    the third.
    """
    bulk, query, output = [
        await _setting(line, name)
        for name in ("proto-max-bulk-len", "client-query-buffer-limit", "client-output-buffer-limit")
    ]
    limits = [int(size) - MARGIN for size in (bulk, query) if size is not None and int(size)]
    subscriber = _of_subscribers(output.decode()) if output is not None else DEFAULT_OUTPUT
    if subscriber:
        limits.append(subscriber - MARGIN)
    return max(MARGIN // 2, min(limits))


async def _setting(line: RedisLine, name: str) -> bytes | None:
    reply = await line.try_ask("CONFIG", "GET", name)
    return reply[1] if reply else None


def _of_subscribers(setting: str) -> int:
    """Give the hard limit from ``normal 0 0 0 slave 268435456 … pubsub 33554432 8388608 60``; 0 is none."""
    words = setting.split()
    return int(words[words.index("pubsub") + 1]) if "pubsub" in words else DEFAULT_OUTPUT
