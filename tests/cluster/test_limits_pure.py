"""The bookkeeping of limits: buckets, the door, the pace of one client."""

from __future__ import annotations

import pytest

from socketio_cluster import ClusterManager, SettingError
from socketio_cluster.cluster.cli.options import check_limits
from socketio_cluster.cluster.cli.parser import read_options
from socketio_cluster.cluster.errors import UsageError
from socketio_cluster.cluster.limits.admission import AdmissionRule
from socketio_cluster.cluster.limits.bucket import Bucket, Pace


def test_bucket_gives_a_burst_and_then_its_rate():
    """A full bucket gives all it has at once, then one token each time one has come back."""
    bucket = Bucket(2.0, 3.0, now=100.0)
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(100.5), bucket.take(100.6), bucket.take(101.0)] == [True, False, True]


def test_bucket_never_holds_more_than_the_burst():
    """After a long pause a bucket gives its burst and no more."""
    bucket = Bucket(10.0, 2.0, now=0.0)
    assert [bucket.take(1000.0) for _ in range(3)] == [True, True, False]


def test_borrowing_says_how_long_to_wait():
    """What is borrowed adds up: each of several tokens is there one step after the one before."""
    bucket = Bucket(4.0, 1.0, now=0.0)
    assert [bucket.borrow(0.0) for _ in range(3)] == [0.0, 0.25, 0.5]
    assert bucket.borrow(0.75) == 0.0


def test_door_counts_before_it_looks_at_the_rate():
    """A full node says so, and uses up nothing of the rate."""
    door = AdmissionRule(2, 1.0, now=0.0)
    assert [door.refusal(2, 0.0), door.refusal(1, 0.0), door.refusal(1, 0.0)] == ["full", None, "rate"]
    assert door.refusal(1, 1.0) is None


def test_door_without_limits_is_open():
    """Without limits everybody is let in."""
    assert AdmissionRule(None, None, now=0.0).refusal(10**6, 0.0) is None


def test_pace_of_a_client_below_the_rate():
    """A client that sends a little less than it may is never held up for long, however long it goes on."""
    pace, now = Pace(10.0, 0.0), 0.0
    for number in range(5000):
        now += 0.101 if number % 2 else 0.1009
        wait = pace.event(now)
        assert wait == 0
        assert not pace.held(wait, now)


def test_pace_of_a_client_that_does_not_stop():
    """A client that always has one more event is held up to its rate, and out ten seconds after its burst."""
    pace, now, events = Pace(10.0, 0.0), 0.0, 0
    while True:
        wait = pace.event(now)
        now += wait
        if wait and pace.held(wait, now):
            break
        events += 1
    assert 9.5 < now < 10.5
    assert 115 <= events <= 125  # twenty at once, then ten a second


def test_pace_forgives_a_burst():
    """A client that sent far too much once, and little since, is not thrown out for it."""
    pace, now = Pace(10.0, 0.0), 0.0
    for _ in range(60):
        wait = pace.event(now)
        now += wait
        assert not pace.held(wait, now)
    now += 20
    for _ in range(60):
        wait = pace.event(now)
        now += wait
        assert not pace.held(wait, now)


def test_rooms_by_the_environment(monkeypatch):
    """The limit of rooms is also a setting of the manager, by option or variable, and a bad one is named."""
    monkeypatch.setenv("CLUSTER_ROOMS_PER_CLIENT", "7")
    assert ClusterManager().options.rooms_per_client == 7
    assert ClusterManager(rooms_per_client=3).options.rooms_per_client == 3
    monkeypatch.setenv("CLUSTER_ROOMS_PER_CLIENT", "many")
    with pytest.raises(SettingError, match="CLUSTER_ROOMS_PER_CLIENT must be a number, not 'many'"):
        ClusterManager()
    monkeypatch.delenv("CLUSTER_ROOMS_PER_CLIENT")
    with pytest.raises(SettingError, match="rooms_per_client must be at least 1, not 0"):
        ClusterManager(rooms_per_client=0)


def test_soft_above_hard_is_a_mistake():
    """A soft limit above the hard one is refused at the start, with both options named."""
    options = read_options(["serve", "a:b", "--soft-connections=20", "--max-connections=10"])
    with pytest.raises(UsageError, match=r"--soft-connections 20 is above --max-connections 10"):
        check_limits(options)
