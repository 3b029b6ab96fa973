"""The link keeps the subscriptions of the broker equal to the interest."""

from __future__ import annotations

import asyncio

from socketio_cluster.manager.errors import BrokerError
from tests.harness import eventually


async def test_takes_everything_again(live):
    """A new broker takes what is wanted by then, before anybody is told that the bus is back."""
    for channel in ("a", "b"):
        live.interest.want(channel)
        await live.settled(channel)
    assert live.broker.taken == {"inbox", "a", "b"}
    first = live.broker
    first.fail(BrokerError("reset"))
    await eventually(lambda: "parted" in live.ends.told)
    live.interest.drop("a")
    live.interest.want("c")
    await live.link.wait_up()
    assert live.broker.told == [("subscribe", {"inbox", "b", "c"})]
    assert live.ends.told == ["joined", "parted", "joined again"]
    assert first.closed


async def test_a_wish_during_the_join(rig):
    """A channel wanted while the subscriptions are under way is taken before the link counts as up."""
    rig.bus.on_subscribe = _want_once(rig, "late")
    rig.start()
    await rig.link.wait_up()
    assert rig.broker.taken == {"inbox", "late"}
    assert rig.interest.taken == {"inbox", "late"}


def _want_once(rig, channel):
    async def on_subscribe(channels):
        rig.interest.want(channel)
        await asyncio.sleep(0)

    return on_subscribe


async def test_a_drop_during_the_join(rig):
    """A channel dropped while it is being taken is given up afterwards."""
    rig.interest.want("early")

    async def drop(channels):
        rig.interest.drop("early")
        rig.link.wish()

    rig.bus.on_subscribe = drop
    rig.start()
    await rig.link.wait_up()
    await eventually(lambda: rig.broker.taken == {"inbox"})
    assert rig.interest.taken == {"inbox"}


async def test_waiting_for_a_subscription(live):
    """What ``settling`` returns ends when the bus has confirmed, or at once when it is away."""
    confirmed = asyncio.Event()

    async def slow(channels):
        await confirmed.wait()

    live.bus.on_subscribe = slow
    live.interest.want("a")
    waiting = asyncio.create_task(live.settled("a"))
    await asyncio.wait([waiting], timeout=0.05)
    assert not waiting.done()
    confirmed.set()
    await asyncio.wait_for(waiting, 1)
    assert "a" in live.broker.taken
    confirmed.clear()
    live.interest.want("b")
    waiting = asyncio.create_task(live.settled("b"))
    await asyncio.sleep(0)
    live.broker.fail(BrokerError("reset"))
    await asyncio.wait_for(waiting, 1)
    confirmed.set()


async def test_many_channels(live):
    """They are taken and given up in pieces, and who waits for an early one need not wait for the last."""
    names = [f"room{number}" for number in range(2500)]
    hold = asyncio.Event()

    async def stop_after_two(channels):
        if len(live.broker.told) == 3:
            await hold.wait()

    live.bus.on_subscribe = stop_after_two
    for name in names:
        live.interest.want(name)
    live.link.wish()
    await eventually(lambda: len(live.broker.told) == 3)
    early = next(iter(live.interest.taken - {"inbox"}))
    await asyncio.wait_for(live.settled(early), 1)
    hold.set()
    await eventually(lambda: live.broker.taken == {"inbox", *names})
    for name in names:
        live.interest.drop(name)
    live.link.wish()
    await eventually(lambda: live.broker.taken == {"inbox"})
    assert [len(channels) for _, channels in live.broker.told] == [1, 1000, 1000, 500, 1000, 1000, 500]


async def test_others_get_a_turn(live):
    """Between two pieces everything else does, though the broker never waits, as on AMQP."""
    for name in range(2500):
        live.interest.want(f"room{name}")
    live.link.wish()
    taken = set()
    while len(live.interest.taken) <= 2500:
        await asyncio.sleep(0)
        taken.add(len(live.interest.taken))
    assert taken - {1} == {1001, 2001, 2501}


async def test_back_and_forth(live):
    """However the wishes for a channel change while the bus is slow, the last one holds."""

    async def slow(channels):
        await asyncio.sleep(0.001)

    live.bus.on_subscribe = slow
    for number in range(101):
        (live.interest.want if number % 2 == 0 else live.interest.drop)("a")
        live.link.wish()
        await asyncio.sleep(0.0001 * (number % 5))
    await live.settled("a")
    assert live.broker.taken == {"inbox", "a"}
    live.interest.drop("a")
    await live.settled("a")
    assert live.broker.taken == {"inbox"}
