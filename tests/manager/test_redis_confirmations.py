"""A Redis confirms subscriptions one by one, in the order of the commands."""

from __future__ import annotations

import asyncio

from socketio_cluster.manager.brokers import patience
from socketio_cluster.manager.brokers.redis_confirmations import Confirmations


def expecting(*commands, silent=None):
    confirmations = Confirmations(silent)
    for kind, *names in commands:
        confirmations.expect(kind, names)
    return confirmations


async def test_all_that_was_written_before():
    """Who waits goes on when the last channel of the last command so far is confirmed, and not before."""
    confirmations = expecting((b"subscribe", b"a", b"b"), (b"unsubscribe", b"a"))
    waiting = [asyncio.create_task(confirmations.last()) for _ in range(2)]
    await asyncio.sleep(0)
    confirmations.expect(b"subscribe", [b"c"])
    for kind, name in ((b"subscribe", b"a"), (b"subscribe", b"b"), (b"unsubscribe", b"a")):
        assert not any(task.done() for task in waiting)
        assert confirmations.confirm(kind, name)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert all(task.done() for task in waiting)
    assert confirmations.confirm(b"subscribe", b"c")
    await asyncio.wait_for(confirmations.last(), 1)
    confirmations.end()


async def test_others():
    """What was not asked for, or not yet, is no confirmation."""
    confirmations = expecting((b"subscribe", b"a", b"b"))
    for kind, name in ((b"subscribe", b"b"), (b"unsubscribe", b"a"), (b"subscribe", b"c")):
        assert not confirmations.confirm(kind, name)
    assert confirmations.confirm(b"subscribe", b"a")
    assert confirmations.confirm(b"subscribe", b"b")
    assert not confirmations.confirm(b"subscribe", b"b")
    confirmations.end()


async def test_cancelled():
    """One of those who wait may stop waiting; the others do not notice."""
    confirmations = expecting((b"subscribe", b"a"))
    cancelled, waiting = [asyncio.create_task(confirmations.last()) for _ in range(2)]
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.wait([cancelled])
    assert confirmations.confirm(b"subscribe", b"a")
    await asyncio.wait_for(waiting, 1)
    confirmations.end()


async def test_the_end():
    """When the connection ends, nobody waits any longer."""
    confirmations = expecting((b"subscribe", b"a"), (b"subscribe", b"b"))
    waiting = asyncio.create_task(confirmations.last())
    await asyncio.sleep(0)
    confirmations.end()
    await asyncio.wait_for(waiting, 1)
    assert not confirmations.confirm(b"subscribe", b"a")


async def test_silence(monkeypatch):
    """Whoever makes them hears that the server is silent."""
    monkeypatch.setattr(patience, "REPLY_TIMEOUT", 0.1)
    silent = asyncio.Event()
    confirmations = expecting((b"subscribe", b"a"), silent=silent.set)
    await asyncio.wait_for(silent.wait(), 1)
    confirmations.end()
