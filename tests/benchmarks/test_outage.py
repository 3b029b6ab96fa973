"""The benchmark of outages runs, and its ledger is exact."""

from __future__ import annotations

import pytest

from benchmarks.outage.ledger import Track, event, read
from benchmarks.outage.table import rows
from benchmarks.outage.trial import Load, run


@pytest.mark.parametrize("fault", ["kill", "freeze"])
def test_a_small_trial(tmp_path, fault):
    """Six nodes catch up after a fault, and nothing is lost or doubled."""
    outcome = run(Load(6, 200, rate=20), fault, 1.0, 60.0, 2, {}, tmp_path)
    assert outcome.caught_up is not None
    assert outcome.due > 6 * 20 * 3
    assert (outcome.lost, outcome.wrong) == (0, 0)
    assert "6 nodes, 20/s each, 200 B" in rows([outcome])[-1]


def test_the_ledger():
    """It sees what is lost, and what comes twice or too late."""
    track = Track()
    for number in (0, 1, 1, 4, 3, 5):
        track.take(number)
    assert (track.next, track.heard, track.wrong) == (6, 4, 2)
    assert read(event(7, 123, 40)) == (7, 123)
    assert len(event(7, 123, 40)) == 40
