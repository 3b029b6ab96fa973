"""Emitters without a bus, and with one that does not take what they say."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from socketio_cluster import AsyncEmitter, BrokerError, EventTooLarge
from tests.emitter.conftest import QUICK
from tests.harness import client, eventually, fence, three_nodes
from tests.services.process import free_port


async def in_thread(act):
    await asyncio.get_running_loop().run_in_executor(None, act)


@pytest.mark.parametrize(
    "scheme", ["redis://127.0.0.1:{}/0", "amqp://u:pass@127.0.0.1:{}//", "local:///nowhere/{}"]
)
async def test_no_bus(scheme, prefix):
    """Without the bus every method raises BrokerError in time; the text names the bus and no password."""
    url = scheme.format(free_port())
    emitter = AsyncEmitter(url, prefix=prefix, timeout=0.3)
    before = asyncio.get_running_loop().time()
    with pytest.raises(BrokerError, match=r"bus at .* was not reached within 0.3 s; the event was not sent"):
        await emitter.emit("never")
    for call in (emitter.enter_room, emitter.leave_room):
        with pytest.raises(BrokerError, match="nothing was done") as caught:
            await call("x" * 20, "red")
        assert "pass@" not in str(caught.value)
    for call in (emitter.close_room, emitter.disconnect):
        with pytest.raises(BrokerError, match="nothing was done"):
            await call("x" * 20)
    assert asyncio.get_running_loop().time() - before < 5 * 0.3 + 1
    await emitter.close()


async def test_bus_down_for_a_while(redis, prefix):
    """What failed while the bus was down is not sent when it is back; what follows is."""
    async with (
        three_nodes(redis.url, prefix, count=1, **QUICK) as nodes,
        client(nodes[0]) as one,
        AsyncEmitter(redis.url, prefix=prefix, timeout=0.5) as emitter,
    ):
        await in_thread(redis.stop)
        for number in range(3):
            with pytest.raises(BrokerError):
                await emitter.emit("never", number)
        await in_thread(redis.start)
        await eventually(lambda: nodes[0].manager.ready, 15)
        while True:
            with contextlib.suppress(BrokerError):
                await emitter.emit("again")
                break
        assert await one.next("again") == []
        await fence(nodes[0], one)


async def test_frozen_bus(redis, prefix):
    """On a bus that does not answer, the event on its way may have been sent; those behind it are not."""
    async with (
        three_nodes(redis.url, prefix, count=1) as nodes,
        client(nodes[0]) as one,
        AsyncEmitter(redis.url, prefix=prefix, timeout=0.5) as emitter,
    ):
        await emitter.emit("before")
        await in_thread(redis.pause)
        try:
            with pytest.raises(BrokerError, match="may have been sent"):
                await emitter.emit("perhaps")
            with pytest.raises(BrokerError, match="was not sent"):
                await emitter.emit("never")
            published = emitter.stats.published["Emit"]
            cancelled = asyncio.create_task(emitter.emit("never"))
            await eventually(lambda: emitter.stats.published["Emit"] > published)
            cancelled.cancel()
            await asyncio.wait([cancelled])
            assert cancelled.cancelled()
        finally:
            await in_thread(redis.resume)
        await emitter.emit("after")
        assert await one.next("before") == []
        name, _ = await asyncio.wait_for(one.events.get(), 5)
        if name == "perhaps":
            name, _ = await asyncio.wait_for(one.events.get(), 5)
        assert name == "after"


async def test_too_large(redis_url, prefix):
    """An event that is larger than the buffer is refused with words, and later ones go on."""
    async with (
        three_nodes(redis_url, prefix, count=1) as nodes,
        client(nodes[0]) as one,
        AsyncEmitter(redis_url, prefix=prefix, buffer_bytes=65536) as emitter,
    ):
        with pytest.raises(EventTooLarge, match="buffer_bytes"):
            await emitter.emit("large", "x" * 70_000)
        await emitter.emit("small")
        assert await one.next("small") == []
