"""The link's patience: it connects again, takes everything again, and sends again what was not confirmed."""

from __future__ import annotations

import asyncio
import contextlib
import logging

import pytest

from socketio_cluster.manager.bus.link import Link
from socketio_cluster.manager.errors import (
    BrokerError,
    PublishError,
    PublishRefused,
    SettingError,
    WrongServer,
)
from tests.harness import eventually
from tests.manager.rig import Bus, Rig


@pytest.fixture
async def rig():
    """A link that is about to start."""
    rig = Rig()
    rig.interest.want("inbox")
    yield rig
    await rig.stop()


@pytest.fixture
async def live(rig):
    """A link that has joined."""
    rig.start()
    await rig.link.wait_up()
    return rig


async def test_joins_before_it_sends(rig):
    """Subscriptions come first; then the node is told, and what was posted is sent in order."""
    rig.post(b"1", b"2")
    rig.start()
    await eventually(lambda: len(rig.bus.brokers) == 1 and rig.broker.published == [b"1", b"2"])
    assert rig.broker.told == [("subscribe", {"inbox"})]
    assert rig.ends.told == ["joined"]
    assert rig.backlog.unsent == 0


async def test_hands_over_what_arrives(live):
    """What comes from the bus is handed over in order, and what comes in one piece in slices."""
    live.broker.say(b"1")
    live.broker.say(*[b"x"] * 600)
    await eventually(lambda: len(live.ends.told) == 5)
    assert live.ends.told[1] == [b"1"]
    assert [len(slice_) for slice_ in live.ends.told[2:]] == [256, 256, 88]


async def test_tries_until_the_bus_is_there(rig, caplog):
    """While the bus cannot be reached it tries on, and says so once."""
    rig.bus.failures = [BrokerError("refused"), BrokerError("refused"), TimeoutError()]
    rig.start()
    await asyncio.wait_for(rig.link.wait_up(), 5)
    assert len(rig.bus.brokers) == 1
    assert [record.getMessage() for record in caplog.records] == ["cannot reach the bus, trying on: refused"]


async def test_pauses_grow(monkeypatch):
    """Each failure in a row makes the next pause longer; a broker that joined makes it short again."""
    attempts = []
    monkeypatch.setattr(
        "socketio_cluster.manager.bus.link.delay",
        lambda attempt, chance, longest: attempts.append(attempt) or 0,
    )
    rig = Rig()
    rig.bus.failures = [BrokerError("refused")] * 3
    rig.interest.want("inbox")
    rig.start()
    await rig.link.wait_up()
    assert attempts == [0, 1, 2]
    rig.broker.fail(BrokerError("reset"))
    await eventually(lambda: len(rig.bus.brokers) == 2)
    assert attempts == [0, 1, 2, 0]
    await rig.stop()


async def test_a_broker_that_fails_before_joining(monkeypatch, rig):
    """A bus that accepts and then refuses the subscriptions is not hammered: the pauses grow too."""
    attempts = []
    monkeypatch.setattr(
        "socketio_cluster.manager.bus.link.delay",
        lambda attempt, chance, longest: attempts.append(attempt) or 0,
    )

    async def refuse(channels):
        if len(rig.bus.brokers) < 4:
            raise BrokerError("no permission")

    rig.bus.on_subscribe = refuse
    rig.start()
    await rig.link.wait_up()
    assert attempts == [1, 2, 3]
    assert rig.ends.told == ["joined"]
    assert all(broker.closed for broker in rig.bus.brokers[:-1])


async def test_takes_everything_again(live):
    """A new broker takes what is wanted by then, before anybody is told that the bus is back."""
    for channel in ("a", "b"):
        live.interest.want(channel)
        await live.link.wait_subscribed(channel)
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


async def test_settle_waits_for_the_bus(live):
    """``settle`` returns when the bus has confirmed, or at once when it is away."""
    confirmed = asyncio.Event()

    async def slow(channels):
        await confirmed.wait()

    live.bus.on_subscribe = slow
    live.interest.want("a")
    settling = asyncio.create_task(live.link.wait_subscribed("a"))
    await asyncio.wait([settling], timeout=0.05)
    assert not settling.done()
    confirmed.set()
    await asyncio.wait_for(settling, 1)
    assert "a" in live.broker.taken
    confirmed.clear()
    live.interest.want("b")
    settling = asyncio.create_task(live.link.wait_subscribed("b"))
    await asyncio.sleep(0)
    live.broker.fail(BrokerError("reset"))
    await asyncio.wait_for(settling, 1)
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
    await asyncio.wait_for(live.link.wait_subscribed(early), 1)
    hold.set()
    await eventually(lambda: live.broker.taken == {"inbox", *names})
    for name in names:
        live.interest.drop(name)
    live.link.wish()
    await eventually(lambda: live.broker.taken == {"inbox"})
    assert [len(channels) for _, channels in live.broker.told] == [1, 1000, 1000, 500, 1000, 1000, 500]


async def test_back_and_forth(live):
    """However the wishes for a channel change while the bus is slow, the last one holds."""

    async def slow(channels):
        await asyncio.sleep(0.001)

    live.bus.on_subscribe = slow
    for number in range(101):
        (live.interest.want if number % 2 == 0 else live.interest.drop)("a")
        live.link.wish()
        await asyncio.sleep(0.0001 * (number % 5))
    await live.link.wait_subscribed("a")
    assert live.broker.taken == {"inbox", "a"}
    live.interest.drop("a")
    await live.link.wait_subscribed("a")
    assert live.broker.taken == {"inbox"}


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
    assert [record.getMessage() for record in caplog.records] == [
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


async def test_farewell(live):
    """When it is cancelled it sends what is left and the goodbye, and closes the broker."""
    live.post(b"last words")
    await live.stop()
    assert live.running.cancelled()
    assert live.broker.published == [b"last words", b"bye"]
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


NO = PublishError("refused")


def never(*culprits, error=NO):
    """A bus that ends the connection at these payloads."""

    async def on_publish(payloads):
        if set(culprits) & set(payloads):
            raise error

    return on_publish


async def test_what_the_bus_never_takes_is_found(monkeypatch, live):
    """A batch refused again and again is split; its one culprit is given up, the rest arrives in order."""
    monkeypatch.setattr("socketio_cluster.manager.bus.link.delay", lambda attempt, chance, longest: 0)
    live.bus.on_publish = never(b"5", b"6")
    live.post(*(b"%d" % number for number in range(10)))
    await eventually(lambda: live.backlog.unsent == 0)
    assert live.ends.given_up == [(b"5", "refused"), (b"6", "refused")]
    sent = [payload for broker in live.bus.brokers for payload in broker.published]
    assert sent == [b"0", b"1", b"2", b"3", b"4", b"7", b"8", b"9"]
    assert live.link.publish_errors == 8, "twice together, three times each of the culprits alone"


async def test_a_bus_that_breaks_for_itself_is_no_refusal(monkeypatch, live):
    """A connection that ends for another reason while a batch is on its way is no judgement on the batch."""
    monkeypatch.setattr("socketio_cluster.manager.bus.link.delay", lambda attempt, chance, longest: 0)
    left = 20

    async def flap(payloads):
        nonlocal left
        left -= 1
        if left > 0:
            raise BrokerError("restarting")

    live.bus.on_publish = flap
    live.post(b"1", b"2")
    await eventually(lambda: live.broker.published == [b"1", b"2"])
    assert live.ends.given_up == []


async def test_a_limit_that_the_bus_tells(live):
    """When the bus tells its limit, whatever is above goes at once and the rest of the batch is sent."""
    live.bus.on_publish = never(b"x" * 200, error=PublishError("too large", 100))
    live.post(b"1", b"x" * 200, b"2")
    await eventually(lambda: live.broker.published == [b"1", b"2"])
    assert live.ends.given_up == [(b"x" * 200, "the bus takes 100 bytes at most")]
    assert live.link.publish_errors == 1
    assert live.link.limit == 100


async def test_a_limit_known_from_the_start(rig):
    """A broker that knows the bus's limit has what is above it given up before anything is sent."""
    rig.bus.limit = 100
    rig.post(b"x" * 101, b"x" * 100)
    rig.start()
    await eventually(lambda: rig.bus.brokers and rig.broker.published == [b"x" * 100])
    assert [payload for payload, _ in rig.ends.given_up] == [b"x" * 101]


async def test_a_part_refused(live):
    """What a broker names is given up, the rest of the batch counts as sent, and the broker goes on."""

    async def deny(payloads):
        if b"2" in payloads:
            raise PublishRefused({payloads.index(b"2"): "no permission"})

    live.bus.on_publish = deny
    live.post(b"1", b"2", b"3")
    await eventually(lambda: live.backlog.unsent == 0)
    assert live.ends.given_up == [(b"2", "no permission")]
    assert live.backlog.reached == 3
    assert len(live.bus.brokers) == 1


async def test_pauses_grow_until_something_is_sent(monkeypatch):
    """A bus that is joined and takes nothing is not hammered: joining alone makes no pause short again."""
    attempts = []
    monkeypatch.setattr(
        "socketio_cluster.manager.bus.link.delay",
        lambda attempt, chance, longest: attempts.append(attempt) or 0,
    )
    rig = Rig()

    async def refuse(payloads):
        if len(attempts) < 4:
            raise BrokerError("no")

    rig.bus.on_publish = refuse
    rig.post(b"1")
    rig.start()
    await eventually(lambda: rig.backlog.unsent == 0)
    rig.broker.fail(BrokerError("reset"))
    await eventually(lambda: len(attempts) == 5)
    assert attempts == [1, 2, 3, 4, 0]
    await rig.stop()


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
