"""When clients are let go, by the numbers."""

from __future__ import annotations

from socketio_cluster.cluster.drain.aging import SLACK, Ages
from socketio_cluster.cluster.drain.drain import Schedule


def test_clients_go_one_by_one_over_the_window():
    """Of ten clients in ten seconds one goes at the beginning of each second."""
    schedule = Schedule(10, 100.0, 10.0)
    present, gone = 10, []
    for tenth in range(100):
        due = schedule.due(present, 100.0 + tenth / 10)
        present -= due
        gone += due * [tenth / 10]
    assert gone == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]


def test_who_leaves_by_himself_counts():
    """When half have left on their own, nobody is let go until half of the window has passed."""
    schedule = Schedule(10, 0.0, 10.0)
    assert [schedule.due(5, now) for now in (0.0, 3.9, 4.9, 5.0)] == [0, 0, 0, 1]


def test_who_is_left_goes_at_the_end():
    """After the window, and at once when there is none, all are due, those who came late too."""
    assert Schedule(10, 0.0, 10.0).due(12, 10.0) == 12
    assert Schedule(3, 0.0, 0.0).due(3, 0.0) == 3
    assert Schedule(0, 0.0, 10.0).due(2, 1.0) == 2


def test_ages_lie_within_a_fifth():
    """Sessions that began together end between four and six fifths of the age, by their chance."""
    ages = Ages(100.0)
    for chance in (0.5, 1.0, 0.0, 0.25):
        ages.add(f"sid-{chance}", 1000.0, chance)
    assert ages.due(1079.9) == []
    assert ages.due(1090.1) == ["sid-0.0", "sid-0.25"]
    assert ages.due(1120.1) == ["sid-0.5", "sid-1.0"]
    assert len(ages) == 0


def test_books_do_not_grow_with_sessions_that_have_ended():
    """However many sessions come and go, the books hold hardly more than twice those that live."""
    ages, living = Ages(3600.0), {f"here-{index}" for index in range(100)}
    for sid in living:
        ages.add(sid, 0.0, 0.5)
    for index in range(10_000):
        ages.add(f"gone-{index}", 1.0, 0.5)
        ages.sweep(living)
        assert len(ages) <= 2 * len(living) + SLACK
    assert set(ages.due(5000.0)) >= living
