"""After an outage: everybody is waited for, and nobody for long."""

from __future__ import annotations

from socketio_cluster.manager.bus.envelope import SenderClock
from socketio_cluster.manager.bus.membership import PAUSE, Greetings, Settling, for_all


def test_all_are_back():
    """It is over when all who were there have been heard."""
    settling = Settling(["a", "b"], 10)
    settling.heard("a")
    settling.heard("stranger")
    assert not settling.over(9)
    settling.heard("b")
    assert settling.over(9)


def test_one_is_late():
    """It is over after its time in any case."""
    assert Settling(["a"], 10).over(10)
    assert Settling([], 10).over(0)


def test_greetings():
    """The first hello is answered at once; those that follow are answered together, if need be at once."""
    greetings = Greetings()
    assert greetings.due(5) == set()
    greetings.heard("a")
    assert greetings.due(5) == {"a"}
    for origin in "bcb":
        greetings.heard(origin)
    assert greetings.due(5 + PAUSE / 2) == set()
    greetings.heard("d")
    assert greetings.due(5 + PAUSE / 2, at_once=True) == {"b", "c", "d"}
    for origin in "bc":
        greetings.heard(origin)
    assert greetings.due(5 + 2 * PAUSE) == {"b", "c"}
    assert greetings.due(9) == set()


def test_who_hears_the_answer():
    """Answers to most of the nodes go to everybody, and others only to those who said hello."""
    assert for_all(2, nodes=2)
    assert for_all(151, nodes=299)
    assert not for_all(1, nodes=2)
    assert not for_all(20, nodes=299)


def test_a_clock_that_only_grows():
    """A sender's clock follows the machine's forward, and goes on steadily when that is set back."""
    clock = SenderClock()
    assert clock.read(1000, 5) == 1000
    assert clock.read(1000, 5) > 1000
    assert clock.read(5000, 6) == 5000
    assert clock.read(1001, 7) == 5001
