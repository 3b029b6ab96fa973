"""Interest: which channels are wanted, and which are taken."""

from __future__ import annotations

from socketio_cluster.manager.bus.interest import Interest


def changes(interest):
    take, give = interest.changes()
    return sorted(take), sorted(give)


def taken(*channels):
    interest = Interest()
    for channel in channels:
        interest.want(channel)
    take, _ = interest.changes()
    interest.took(take)
    return interest


def test_take_and_give():
    """What is wanted is taken, what is dropped given up, each once."""
    interest = taken("a", "b")
    interest.drop("a")
    interest.want("c")
    assert changes(interest) == (["c"], ["a"])
    assert changes(interest) == ([], [])
    interest.took(["c"])
    assert interest.taken == {"b", "c"}


def test_back_and_forth():
    """What has changed its mind before anybody looked is no change."""
    interest = taken("a")
    interest.drop("a")
    interest.want("a")
    interest.want("b")
    interest.drop("b")
    assert changes(interest) == ([], [])


def test_wanted_again_while_it_is_given_up():
    """A wish that comes while the bus is told to give the channel up takes it anew."""
    interest = taken("a")
    interest.drop("a")
    assert changes(interest) == ([], ["a"])
    interest.want("a")
    assert changes(interest) == (["a"], [])


def test_dropped_while_it_is_taken():
    """A channel dropped before the bus has confirmed it is given up afterwards."""
    interest = Interest()
    interest.want("a")
    assert changes(interest) == (["a"], [])
    interest.drop("a")
    interest.took(["a"])
    assert changes(interest) == ([], ["a"])


def test_lost():
    """After a lost connection everything wanted is to be taken again, and nothing else."""
    interest = taken("a", "b")
    interest.drop("a")
    interest.want("c")
    interest.lost()
    assert interest.taken == set()
    assert changes(interest) == (["b", "c"], [])


def test_settled():
    """A channel is settled when it is wanted and taken, or neither: nobody has to wait for the bus."""
    interest = taken("a", "b")
    interest.drop("b")
    interest.want("c")
    assert [interest.settled(channel) for channel in "abcd"] == [True, False, False, True]
