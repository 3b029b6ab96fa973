"""``Rest``: for how long emits wait because other nodes are late."""

from __future__ import annotations

from math import inf, nan

import pytest

from socketio_cluster.manager.bus.rest import LEAST, LONGEST, SHARE, Rest

NOW = 1000.0


@pytest.fixture
def rest():
    return Rest()


def test_as_long_as_the_other_is_late(rest):
    """It has read what waits for it by then."""
    assert rest.begin(0.02, NOW) == pytest.approx(0.02)
    assert rest.end()


@pytest.mark.parametrize("late", [-1.0, 0.0, LEAST / 2, nan])
def test_not_late(rest, late):
    assert rest.begin(late, NOW) == 0


@pytest.mark.parametrize("late", [1.0, inf])
def test_very_late(rest, late):
    """Nobody waits for longer than that at once."""
    assert rest.begin(late, NOW) == pytest.approx(LONGEST)


def test_a_later_one_makes_it_longer(rest):
    """It is over when both are done."""
    assert rest.begin(0.02, NOW)
    assert rest.begin(0.03, NOW + 0.01) == pytest.approx(0.03)
    assert not rest.end()
    assert rest.end()


def test_an_earlier_one_changes_nothing(rest):
    assert rest.begin(0.02, NOW)
    assert rest.begin(0.01, NOW + 0.005) == 0
    assert rest.end()


def test_many_late_nodes(rest):
    """However many say so and however often, a part of the time is free."""
    waited, now, ends = 0.0, NOW, []
    while now < NOW + 10:
        while ends and ends[0] <= now:
            ends.pop(0)
            rest.end()
        seconds = rest.begin(0.03, now)
        if seconds:
            ends.append(now + seconds)
        waited += 0.001 if ends else 0
        now += 0.001
    assert 0.6 * 10 < waited < (SHARE + 0.05) * 10
