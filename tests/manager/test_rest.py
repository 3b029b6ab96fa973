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
    rest.end(NOW + 0.02)
    assert rest.begin(0.02, NOW + 0.021) == 0
    assert rest.begin(0.02, NOW + 0.026) == pytest.approx(0.02)


@pytest.mark.parametrize("late", [-1.0, 0.0, LEAST / 2, nan])
def test_not_late(rest, late):
    assert rest.begin(late, NOW) == 0


@pytest.mark.parametrize("late", [1.0, inf])
def test_very_late(rest, late):
    """Nobody waits for longer than that at once."""
    assert rest.begin(late, NOW) == pytest.approx(LONGEST)


def test_one_that_is_later(rest):
    """It ends when that one has read what was sent before the rest, and no later than a rest may."""
    assert rest.begin(0.02, NOW)
    assert rest.begin(0.03, NOW + 0.01) == pytest.approx(0.02)
    assert rest.begin(0.09, NOW + 0.02) == pytest.approx(0.03)
    assert rest.begin(0.09, NOW + 0.03) == 0


def test_one_that_is_less_late(rest):
    assert rest.begin(0.02, NOW)
    assert rest.begin(0.01, NOW + 0.005) == 0


def test_a_busy_node(rest):
    """If it ends a rest late, a part of the time after that is free all the same."""
    assert rest.begin(0.02, NOW)
    rest.end(NOW + 0.2)
    assert rest.begin(0.02, NOW + 0.24) == 0
    assert rest.begin(0.02, NOW + 0.26)


def test_no_rest(rest):
    """The bus was lost meanwhile, which begins everything anew. It changes nothing then."""
    rest.end(NOW)
    assert rest.begin(0.02, NOW)


def test_many_late_nodes(rest):
    """However many say so and however often, a part of the time is free."""
    waited, now, end = 0.0, NOW, None
    while now < NOW + 10:
        if end is not None and end <= now:
            end = rest.end(now)
        if seconds := rest.begin(0.03, now):
            end = now + seconds
        waited += 0.001 if end else 0
        now += 0.001
    assert 0.6 * 10 < waited < (SHARE + 0.05) * 10
