"""A link that is cancelled says goodbye and leaves the bus."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from socketio_cluster.manager.bus.link import Link
from socketio_cluster.manager.errors import BrokerError
from tests.manager.rig import Rig


async def test_farewell(live):
    """When it is cancelled it sends what is left and the goodbye, and closes the broker."""
    live.post(b"last words")
    await live.stop()
    assert live.running.cancelled()
    # A batch that was on its way goes once more, and receivers drop the repeat.
    assert list(dict.fromkeys(live.broker.published)) == [b"last words", b"bye"]
    assert live.broker.closed
    assert not live.link.up


async def test_farewell_to_a_bus_that_does_not_answer(live, caplog, monkeypatch):
    """A bus that takes nothing any more holds up the end for a second at most."""
    monkeypatch.setattr("socketio_cluster.manager.bus.link.FAREWELL_SECONDS", 0.05)

    async def never(payloads):
        await asyncio.Event().wait()

    live.bus.on_publish = never
    live.post(b"last words")
    await asyncio.wait_for(live.stop(), 1)
    assert live.broker.closed
    assert "left the bus with 1 envelopes unsent" in caplog.text


@pytest.mark.parametrize("first", ["error", "cancel"])
async def test_cancelled_as_the_bus_fails(live, first):
    """A cancellation that comes together with an error of the bus ends the link."""
    if first == "error":
        live.broker.fail(BrokerError("gone"))
        await asyncio.sleep(0)
    live.running.cancel()
    live.broker.fail(BrokerError("gone"))
    await asyncio.wait_for(asyncio.wait([live.running]), 5)
    assert live.running.cancelled()


async def test_cancelled_before_the_bus_is_there():
    """It ends at once while it connects or pauses."""
    for failures in ([], [BrokerError("refused")] * 5):
        rig = Rig()
        rig.bus.failures = failures
        if not failures:
            rig.bus.connect = asyncio.Event().wait
            rig.link = Link(rig.bus.connect, rig.interest, rig.outgoing, rig.ends)
        rig.start()
        await asyncio.sleep(0)
        await asyncio.wait_for(rig.stop(), 1)
        assert rig.running.cancelled()
        with contextlib.suppress(IndexError):
            assert rig.broker.closed
