"""What is said when a node cannot keep what it has to publish."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from socketio_cluster.manager.bus.backlog import Backlog
from socketio_cluster.manager.bus.broker import LARGEST
from socketio_cluster.manager.bus.envelope import Codec
from socketio_cluster.manager.bus.messages import Emit
from socketio_cluster.manager.bus.outgoing import Outgoing
from socketio_cluster.manager.bus.publisher import Publisher
from socketio_cluster.manager.errors import BrokerError, EventTooLarge
from socketio_cluster.manager.stats import Stats

WORDS = Emit("/", None, [], [b"2" + b"x" * 200], text=True)


def test_dropping_is_told_once_for_each_absence(caplog):
    """Not again when the bus is there but has not everything yet; again when it goes the next time."""
    link = SimpleNamespace(up=False, limit=LARGEST, wake=lambda: None)
    backlog = Backlog(1000, 60)
    publisher = Publisher("a" * 8, Codec("sio"), Outgoing(backlog, lambda: None, lambda: None), link, Stats())

    def post(count):
        for _ in range(count):
            publisher.post(WORDS, ("channel",))
        publisher.expire(time.monotonic())
        return len(caplog.records)

    assert post(20) == 1
    link.up = True
    assert post(5) == 1
    backlog.sent(25)
    assert post(0) == 1
    link.up = False
    assert post(20) == 2


@pytest.mark.parametrize(("buffer", "limit"), [(100_000, LARGEST), (10**7, 100_000)])
def test_what_is_too_large_touches_nothing(buffer, limit):
    """A message above the buffer's or the bus's bytes raises; what waits stays, and no number is used up."""
    link = SimpleNamespace(up=False, wake=lambda: None)
    backlog = Backlog(buffer, 60)
    outgoing = Outgoing(backlog, lambda: None, lambda: None)
    outgoing.limit = limit
    publisher = Publisher("a" * 8, Codec("sio"), outgoing, link, Stats())
    assert publisher.post(WORDS, ("channel",)) == 1
    with pytest.raises(EventTooLarge, match="buffer_bytes" if buffer < limit else "what the bus takes"):
        publisher.post(Emit("/", None, [], [b"x" * 100_000], text=True), ("channel",))
    assert publisher.post(WORDS, ("channel",)) == 2
    assert backlog.unsent == 2


async def test_an_emitter_is_told_what_the_bus_refused(caplog):
    """Whoever waits for an envelope that the bus will not take gets the reason; the log names the event."""
    backlog, stats = Backlog(10**6, 60), Stats()
    publisher = Publisher(
        "a" * 8,
        Codec("sio"),
        Outgoing(backlog, lambda: None, lambda: None),
        SimpleNamespace(wake=int),
        stats,
    )
    words = Emit("/", None, [], [b'2["news",1]'], text=True)
    number = publisher.post(words, ("channel",))
    publisher.refused(backlog.drop(number), "no permission")
    with pytest.raises(BrokerError, match="no permission"):
        await publisher.sent(number)
    assert stats.dropped == 1
    assert "Emit 'news'" in caplog.text
