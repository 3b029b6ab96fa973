"""The link hands over what arrives, and sends in order what waits, again if it was not confirmed."""

from __future__ import annotations

import asyncio

from socketio_cluster.manager.errors import BrokerError, WrongServer
from tests.harness import eventually
from tests.manager.rig import Bus


async def test_hands_over_what_arrives(live):
    """What comes from the bus is handed over in order, and what comes in one piece in slices."""
    live.broker.say(b"1")
    live.broker.say(*[b"x"] * 600)
    await eventually(lambda: len(live.ends.told) == 5)
    assert live.ends.told[1] == [b"1"]
    assert [len(slice_) for slice_ in live.ends.told[2:]] == [256, 256, 88]


async def test_what_gathers_makes_the_next_batch(live):
    """While one batch is on its way the next gathers, so that many posts share a round trip."""
    batches, go_on = [], asyncio.Event()

    async def slow(payloads):
        batches.append(len(payloads))
        await go_on.wait()

    live.bus.on_publish = slow
    live.post(b"first")
    await eventually(lambda: batches)
    for _ in range(50):
        live.post(b"x")
    go_on.set()
    await eventually(lambda: live.backlog.unsent == 0)
    assert batches == [1, 50]


async def test_sends_again_what_was_not_confirmed(live):
    """A batch that the broker never confirmed is sent again by the next one, before what came later."""
    failed = []

    async def fail_once(payloads):
        if not failed:
            failed.append(payloads)
            raise BrokerError("reset in the middle")

    live.bus.on_publish = fail_once
    live.post(b"1", b"2")
    await eventually(lambda: failed)
    live.post(b"3")
    await eventually(lambda: live.broker.published == [b"1", b"2", b"3"])
    assert failed == [[b"1", b"2"]]
    assert live.link.publish_errors == 1


async def test_a_batch_cut_off_by_the_reader_is_an_error(live):
    """A batch on its way when the reader finds the bus gone counts as not taken, and is sent again."""
    under_way = asyncio.Event()

    async def never(payloads):
        under_way.set()
        await asyncio.Event().wait()

    live.bus.on_publish = never
    live.post(b"1")
    await under_way.wait()
    live.bus.on_publish = Bus().on_publish
    live.broker.fail(BrokerError("gone"))
    await eventually(lambda: live.broker.published == [b"1"])
    assert live.link.publish_errors == 1


async def test_what_a_replica_took_is_sent_again(monkeypatch, live):
    """When the server turns out to be a replica, all since it was last known as the primary is sent again."""
    monkeypatch.setattr("socketio_cluster.manager.bus.link.CHECK_SECONDS", 0.01)
    live.post(b"1")
    await eventually(lambda: live.link._sender.proven == 1)
    demoted = asyncio.Event()

    async def check():
        await demoted.wait()
        live.bus.on_check = Bus().on_check
        raise WrongServer("a replica")

    live.bus.on_check = check
    await asyncio.sleep(0.02)  # a check that began before is over
    live.post(b"2", b"3")
    await eventually(lambda: live.broker.published == [b"1", b"2", b"3"])
    demoted.set()
    await eventually(lambda: len(live.bus.brokers) == 2 and live.broker.published == [b"2", b"3"])
