"""Deliveries wait for their reader, or are handed over at once, in their order either way."""

from __future__ import annotations

import asyncio

import pytest

from socketio_cluster.manager.brokers.inbox import AT_ONCE, Inbox
from socketio_cluster.manager.bus.broker import Delivery
from socketio_cluster.manager.errors import BrokerError


def some(first, count=1):
    """So many deliveries with numbers in their payloads."""
    return [Delivery("c", str(number).encode()) for number in range(first, first + count)]


async def test_a_waiting_reader_is_passed_by():
    """A few deliveries for which the reader waits are handed over in the same call, and never twice."""
    inbox, handed = Inbox(), []
    inbox.at_once = handed.extend
    reading = asyncio.create_task(inbox.take())
    await asyncio.sleep(0)
    inbox.put(some(0, 2))
    assert handed == some(0, 2)
    inbox.put(some(2, AT_ONCE + 1))
    assert handed == some(0, 2)
    assert await reading == some(2, AT_ONCE + 1)


async def test_nothing_overtakes():
    """What comes while the reader is at work, or has not had its turn yet, waits behind what it has to do."""
    inbox, handed = Inbox(), []
    inbox.at_once = handed.extend
    inbox.put(some(0))  # The reader has not come yet.
    assert await inbox.take() == some(0)
    inbox.put(some(1))  # It is at work.
    assert await inbox.take() == some(1)
    reading = asyncio.create_task(inbox.take())
    await asyncio.sleep(0)
    inbox.put(some(2, AT_ONCE + 1))
    inbox.put(some(AT_ONCE + 3))  # It has not had its turn.
    assert await reading == some(2, AT_ONCE + 2)
    assert handed == []


async def test_nothing_after_the_end():
    """An inbox that has ended hands nothing over, and its reader gets the error."""
    inbox, handed = Inbox(), []
    inbox.at_once = handed.extend
    reading = asyncio.create_task(inbox.take())
    await asyncio.sleep(0)
    inbox.fail(BrokerError("gone"))
    inbox.put(some(0))
    assert handed == []
    assert await reading == some(0)
    with pytest.raises(BrokerError, match="gone"):
        await inbox.take()


async def test_a_reader_that_is_cancelled():
    """What comes after the reader was cancelled is kept for the next one."""
    inbox, handed = Inbox(), []
    inbox.at_once = handed.extend
    reading = asyncio.create_task(inbox.take())
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    inbox.put(some(0))
    assert (handed, await inbox.take()) == ([], some(0))
