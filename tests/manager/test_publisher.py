"""What is said when a node cannot keep what it has to publish."""

from __future__ import annotations

import time
from types import SimpleNamespace

from socketio_cluster.manager.bus.backlog import Backlog
from socketio_cluster.manager.bus.envelope import Codec
from socketio_cluster.manager.bus.messages import Emit
from socketio_cluster.manager.bus.outgoing import Outgoing
from socketio_cluster.manager.bus.publisher import Publisher
from socketio_cluster.manager.stats import Stats

WORDS = Emit("/", None, [], [b"2" + b"x" * 200], text=True)


def test_dropping_is_told_once_for_each_absence(caplog):
    """Not again when the bus is there but has not everything yet; again when it goes the next time."""
    link = SimpleNamespace(up=False, wake=lambda: None)
    backlog = Backlog(1000, 60)
    publisher = Publisher("a" * 8, Codec("sio"), backlog, link, Outgoing(backlog, lambda: None), Stats())

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
