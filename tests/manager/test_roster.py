"""The roster: repeats, what was missed, and who is alive."""

from __future__ import annotations

import pytest

from socketio_cluster.manager.bus.messages import Beat, Hello
from socketio_cluster.manager.bus.roster import NodeInfo, Roster
from socketio_cluster.manager.errors import EnvelopeError

BEAT = Beat("name", "host:1", True, 3)


@pytest.fixture
def roster():
    return Roster(8, 120)


def hear(roster, *numbers, origin="a", now=0.0):
    return [roster.fresh(origin, number, now) for number in numbers]


def test_repeats(roster):
    """A number not above the last one of its sender is a repeat; gaps are fine."""
    assert hear(roster, 5, 5, 6, 9, 7, 10) == [True, False, True, True, False, True]
    assert hear(roster, 1, origin="b") == [True]
    assert roster.seen() == {"a": 10, "b": 1}


def test_a_cut(roster):
    """After a cut a sender's envelopes wait for its replay, which is taken without repeats."""
    hear(roster, 1, 2)
    roster.cut(10)
    assert roster.behind() == ["a"]
    assert hear(roster, 5, 6) == [False, False]
    assert [roster.replayed("a", number) for number in (2, 3, 4, 5)] == [False, True, True, True]
    assert roster.caught_up("a", 7)
    assert hear(roster, 6, 7, 8) == [False, False, True]
    assert roster.behind() == []
    assert not roster.caught_up("a", 9)


def test_a_sender_first_heard_after_a_cut(roster):
    """Of a sender that started during the cut everything is asked for."""
    roster.cut(10)
    assert hear(roster, 4) == [False]
    assert roster.seen() == {"a": 0}
    assert roster.is_behind("a")


def test_a_sender_that_starts_after_a_cut(roster):
    """A sender whose first envelope arrives has nothing to replay."""
    roster.cut(10)
    assert hear(roster, 1, 2) == [True, True]
    assert not roster.is_behind("a")


def test_presence(roster):
    """A node is new once, and its beats bring its numbers up to date."""
    hear(roster, 1)
    assert roster.present("a", Hello("", "host:1", True, {}))
    assert roster.nodes == {"a": NodeInfo("a", "a", "host:1", 0)}
    assert not roster.present("a", BEAT)
    assert roster.nodes == {"a": NodeInfo("a", "name", "host:1", 3)}


def test_who_serves_nobody(roster):
    """One that serves no clients is no node."""
    assert not roster.present("a", Beat("name", "", False, 0))
    assert roster.nodes == {}


def test_goodbye(roster):
    """One that said goodbye is gone at once, and nothing is asked of it any more."""
    hear(roster, 1)
    roster.present("a", BEAT)
    assert roster.leave("a")
    assert not roster.leave("a")
    roster.cut(5)
    assert roster.behind() == []
    assert roster.nodes == {}


def test_death(roster):
    """A node is dead after the silence that was set, and not before; any envelope is a sign of life."""
    for origin in ("a", "b"):
        hear(roster, 1, origin=origin)
        roster.present(origin, BEAT)
    hear(roster, 2, origin="b", now=5)
    assert roster.expire(8) == []
    assert roster.expire(8.1) == ["a"]
    assert list(roster.nodes) == ["b"]
    assert roster.expire(13.1) == ["b"]


def test_grace(roster):
    """Nobody is dead while this node could not hear: after a cut or a blocked loop silence starts anew."""
    for excuse in (roster.cut, roster.grace):
        hear(roster, 1)
        roster.present("a", BEAT)
        excuse(100)
        assert roster.expire(107) == []


def test_memory(roster):
    """The number of a silent sender is kept for as long as a repeat may come, and no longer."""
    hear(roster, 5)
    roster.expire(120)
    assert hear(roster, 5, now=0) == [False]
    roster.expire(120.1)
    assert roster.seen() == {}


def test_a_number_that_nobody_can_have_reached(roster):
    """A number made up to make repeats of all that follows is refused; one as high as time allows is not."""
    assert roster.fresh("a", 5, 0.0)
    with pytest.raises(EnvelopeError, match="number"):
        roster.fresh("a", 2**63, 10.0)
    assert roster.fresh("a", 6, 10.0)
    assert roster.fresh("a", 3_000_006, 12.0)
    with pytest.raises(EnvelopeError):
        roster.fresh("a", 4_000_007, 12.0)


def test_a_number_above_that_of_its_replay(roster):
    """An envelope inside a replay cannot be newer than the replay."""
    roster.fresh("a", 5, 0.0)
    roster.cut(1.0)
    roster.fresh("a", 9, 1.0)
    assert not roster.replayed("a", 10)
    assert roster.replayed("a", 8)
