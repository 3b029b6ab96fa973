"""An envelope that the bus never takes is given up, and holds up no others."""

from __future__ import annotations

from socketio_cluster.manager.errors import BrokerError, PublishError, PublishRefused
from tests.harness import eventually

NO = PublishError("refused")


def never(*culprits, error=NO):
    """A bus that ends the connection at these payloads."""

    async def on_publish(payloads):
        if set(culprits) & set(payloads):
            raise error

    return on_publish


async def test_what_the_bus_never_takes_is_found(pauses, live):
    """A batch refused again and again is split; its one culprit is given up, the rest arrives in order."""
    live.bus.on_publish = never(b"5", b"6")
    live.post(*(b"%d" % number for number in range(10)))
    await eventually(lambda: live.backlog.unsent == 0)
    assert live.ends.given_up == [(b"5", "refused"), (b"6", "refused")]
    sent = [payload for broker in live.bus.brokers for payload in broker.published]
    assert sent == [b"0", b"1", b"2", b"3", b"4", b"7", b"8", b"9"]
    assert live.link.publish_errors == 8, "twice together, three times each of the culprits alone"


async def test_a_bus_that_breaks_for_itself_is_no_refusal(pauses, live):
    """A connection that ends for another reason while a batch is on its way is no judgement on the batch."""
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
    assert live.outgoing.limit == 100


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
