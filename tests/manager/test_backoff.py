"""The pause between tries."""

from __future__ import annotations

import pytest

from socketio_cluster.manager.bus.backoff import delay


@pytest.mark.parametrize(
    ("attempt", "least", "most"),
    [(0, 0.05, 0.1), (1, 0.1, 0.2), (2, 0.2, 0.4), (5, 1.6, 3.2), (6, 2.5, 5), (20, 2.5, 5), (10**9, 2.5, 5)],
)
def test_delay(attempt, least, most):
    """It doubles up to five seconds, and chance moves it within the upper half."""
    assert delay(attempt, 0.0) == pytest.approx(least)
    assert delay(attempt, 1.0) == pytest.approx(most)
    assert least < delay(attempt, 0.5) < most
