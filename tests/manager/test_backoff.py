"""The pause between tries."""

from __future__ import annotations

import pytest

from socketio_cluster.manager.bus.backoff import AWAY, delay


@pytest.mark.parametrize(
    ("attempt", "least", "most"),
    [(0, 0.05, 0.1), (1, 0.1, 0.2), (2, 0.2, 0.4), (5, 1.6, 3.2), (6, 2.5, 5), (20, 2.5, 5), (10**9, 2.5, 5)],
)
def test_delay(attempt, least, most):
    """It doubles up to the longest, and chance moves it within the upper half."""
    assert delay(attempt, 0.0, 5.0) == pytest.approx(least)
    assert delay(attempt, 1.0, 5.0) == pytest.approx(most)
    assert least < delay(attempt, 0.5, 5.0) < most


def test_within_a_second():
    """A bus that is away is never left alone for longer than a second."""
    assert delay(99, 1.0, AWAY) < 1
