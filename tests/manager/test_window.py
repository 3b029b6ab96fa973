"""``Window``: how many envelopes may wait for the bus."""

from __future__ import annotations

import pytest

from socketio_cluster.manager.bus.window import LEAST, MOST, Window

EACH = 10e-6
"""Seconds that the server of these tests takes for each envelope."""


def flood(window, trip, batches=100):
    """Let envelopes wait for a server that is ``trip`` away as long as there is room.

    Half of them are on their way. Returns the seconds that one batch takes in the end.
    """
    for _ in range(batches):
        count = window.size // 2
        seconds = trip + count * EACH
        window.took(count, seconds)
    return seconds


def test_it_is_open_at_first():
    """Until a server has answered, nobody waits for less than before."""
    assert Window().size == MOST


def test_little_waits_for_a_near_server():
    """A flood leaves no more than fits into a few round trips, so that its last event is not late."""
    window = Window()
    window.took(1, 0.0003)
    assert flood(window, 0.0003) < 0.002
    assert window.size == LEAST


@pytest.mark.parametrize("trip", [0.002, 0.01, 0.05])
def test_a_far_server_is_kept_busy(trip):
    """What is on its way takes about as long as the way: the server is idle half of the time at most."""
    window = Window()
    window.took(1, trip)
    assert window.size == LEAST
    flood(window, trip)
    assert window.size == MOST or window.size // 2 * EACH > 0.4 * trip


def test_a_server_that_has_become_slow():
    """When each envelope takes much longer, fewer wait, down to the least."""
    window = Window()
    flood(window, 0.02)
    assert window.size > 4 * LEAST
    window.took(window.size // 2, 5.0)
    assert window.size == LEAST


def test_a_new_connection_may_lead_elsewhere():
    """What was measured on one connection says nothing of the next."""
    window = Window()
    flood(window, 0.0003)
    window.open()
    assert window.size == MOST
    window.took(500, 0.01)
    assert window.size > 500
