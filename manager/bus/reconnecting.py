"""Connects a broker, and connects again when it has failed: the only place that retries.

The delays before the attempts are those of ``backoff``.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Final

from socketio_cluster.manager.bus.backoff import AWAY, TROUBLE, delay
from socketio_cluster.manager.bus.broker import Broker
from socketio_cluster.manager.errors import BrokerError

logger = logging.getLogger("socketio_cluster.manager")

CONNECT_SECONDS: Final = 10.0


def _nothing(error: BrokerError | TimeoutError) -> None:
    """Do nothing more about a bus that was not reached."""


async def keep_connected(
    bus: str,
    connect: Callable[[], Awaitable[Broker]],
    serve: Callable[[Broker], Awaitable[bool]],
    unreached: Callable[[BrokerError | TimeoutError], object] = _nothing,
) -> None:
    """Keep a broker connected until this is cancelled.

    Args:
        bus: what the log calls it.
        connect: makes a broker. It raises ``BrokerError``.
        serve: works with a broker until that fails, and returns whether it was of use. If it was not, the
            next delay is longer.
        unreached: called with the error after each attempt at which no broker could be made.
    """
    attempt = 0
    while True:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                broker = await connect()
        except (BrokerError, TimeoutError) as error:
            if attempt == 0:
                logger.warning("cannot reach %s, trying on: %s", bus, error or "no answer")
            unreached(error)
            await asyncio.sleep(delay(attempt, random.random(), AWAY))  # noqa: S311 - jitter, not a secret
            attempt += 1
            continue
        attempt = 0 if await serve(broker) else attempt + 1
        await asyncio.sleep(delay(attempt, random.random(), TROUBLE))  # noqa: S311
