"""The roster: who is there, until it leaves or falls silent."""

from __future__ import annotations

import pytest

from socketio_cluster.manager.bus.envelope import Header
from socketio_cluster.manager.bus.messages import Beat, Gone, Hello, Offer
from socketio_cluster.manager.bus.roster import NodeInfo, Roster
from socketio_cluster.manager.bus.streams import Streams

OFFER = Offer(0, 0, b"")
BEAT = Beat("name", "host:1", True, 3, False, OFFER)


@pytest.fixture
def streams():
    return Streams(8, 120)


@pytest.fixture
def roster(streams):
    return Roster(streams)


def hear(streams, origin, number, now):
    return streams.take(Header(origin, number, now), Gone(1), 10, now, now)


def test_presence(roster):
    """A node is new once, and its beats bring its numbers up to date."""
    assert roster.present("a", Hello("", "host:1", True, 0, False, OFFER))
    assert roster.nodes == {"a": NodeInfo("a", "a", "host:1", 0)}
    assert not roster.present("a", BEAT)
    assert roster.nodes == {"a": NodeInfo("a", "name", "host:1", 3)}


def test_who_serves_nobody(roster):
    """One that serves no clients is no node."""
    assert not roster.present("a", Beat("name", "", False, 0, False, OFFER))
    assert roster.nodes == {}


def test_goodbye(roster):
    """One that said goodbye is gone at once."""
    roster.present("a", BEAT)
    assert roster.leave("a")
    assert not roster.leave("a")
    assert roster.nodes == {}


def test_death(roster, streams):
    """A node is dead after the silence that was set, and not before; any new envelope is a sign of life."""
    for origin in ("a", "b"):
        hear(streams, origin, 1, 0)
        roster.present(origin, BEAT)
    hear(streams, "b", 2, 5)
    hear(streams, "a", 1, 5)
    assert roster.expire(8) == []
    assert roster.expire(8.1) == ["a"]
    assert list(roster.nodes) == ["b"]
    assert roster.expire(13.1) == ["b"]


def test_grace(roster, streams):
    """Nobody is dead while this node could not hear: after a cut or a blocked loop silence starts anew."""
    for excuse in (streams.cut, streams.grace):
        hear(streams, "a", 1, 0)
        roster.present("a", BEAT)
        excuse(100)
        assert roster.expire(107) == []
