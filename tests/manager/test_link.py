"""The link connects until it is on the bus, and connects again when a broker fails."""

from __future__ import annotations

import asyncio
import logging

import pytest

from socketio_cluster.manager.errors import BrokerError, SettingError
from tests.harness import eventually
from tests.manager.rig import Rig


async def test_joins_before_it_sends(rig):
    """Subscriptions come first; then the node is told, and what was posted is sent in order."""
    rig.post(b"1", b"2")
    rig.start()
    await eventually(lambda: len(rig.bus.brokers) == 1 and rig.broker.published == [b"1", b"2"])
    assert rig.broker.told == [("subscribe", {"inbox"})]
    assert rig.ends.told == ["joined"]
    await eventually(lambda: rig.backlog.unsent == 0)  # the broker answers after it has them


async def test_tries_until_the_bus_is_there(rig, caplog):
    """While the bus cannot be reached it tries on, and says so once."""
    rig.bus.failures = [BrokerError("refused"), BrokerError("refused"), TimeoutError()]
    rig.start()
    await asyncio.wait_for(rig.link.wait_up(), 5)
    assert len(rig.bus.brokers) == 1
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        "cannot reach the bus, trying on: refused"
    ]


async def test_pauses_grow(pauses, rig):
    """Each failure in a row makes the next pause longer; a broker that joined makes it short again."""
    rig.bus.failures = [BrokerError("refused")] * 3
    rig.start()
    await rig.link.wait_up()
    assert pauses == [0, 1, 2]
    rig.broker.fail(BrokerError("reset"))
    await eventually(lambda: len(rig.bus.brokers) == 2)
    assert pauses == [0, 1, 2, 0]


async def test_a_broker_that_fails_before_joining(pauses, rig):
    """A bus that accepts and then refuses the subscriptions is not hammered: the pauses grow too."""

    async def refuse(channels):
        if len(rig.bus.brokers) < 4:
            raise BrokerError("no permission")

    rig.bus.on_subscribe = refuse
    rig.start()
    await rig.link.wait_up()
    assert pauses == [1, 2, 3]
    assert rig.ends.told == ["joined"]
    assert all(broker.closed for broker in rig.bus.brokers[:-1])


async def test_pauses_grow_until_something_is_sent(pauses, rig):
    """A bus that is joined and takes nothing is not hammered: joining alone makes no pause short again."""

    async def refuse(payloads):
        if len(pauses) < 4:
            raise BrokerError("no")

    rig.bus.on_publish = refuse
    rig.post(b"1")
    rig.start()
    await eventually(lambda: rig.backlog.unsent == 0)
    rig.broker.fail(BrokerError("reset"))
    await eventually(lambda: len(pauses) == 5)
    assert pauses == [1, 2, 3, 4, 0]


async def test_a_bug_does_not_stop_it(live, caplog):
    """An error that is not the bus's is logged with its traceback, and the link is made anew."""
    live.broker.fail(ZeroDivisionError("a bug"))
    await eventually(lambda: len(live.bus.brokers) == 2 and live.link.up)
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.exc_info[0] is ZeroDivisionError


async def test_a_setting_ends_it():
    """A URL that no broker can work with ends the link with its SettingError: trying on would not help."""
    rig = Rig()
    rig.bus.failures = [SettingError("no such option")]
    rig.start()
    with pytest.raises(SettingError, match="no such option"):
        await rig.running


async def test_fail(live, caplog):
    """A broker that the node gives up is replaced, and the reason is logged."""
    await eventually(lambda: live.link._broken is not None)
    live.link.fail("the node is deaf")
    live.link.fail("the node is deaf")
    await eventually(lambda: len(live.bus.brokers) == 2 and live.link.up)
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        "lost the bus, trying again: the node is deaf"
    ]


@pytest.mark.parametrize("how", ["reader", "gave up"])
async def test_a_failure_leaves_no_cancellation_behind(live, how):
    """After a broker has failed the link's task is not marked as cancelled: its next timeout would raise."""
    if how == "reader":
        live.broker.fail(BrokerError("gone"))
    else:
        live.link.fail("gone")
    await eventually(lambda: len(live.bus.brokers) == 2 and live.link.up)
    assert live.running.cancelling() == 0
