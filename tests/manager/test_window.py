"""``Window``: how many envelopes may wait for the bus."""

from __future__ import annotations

import pytest

from socketio_cluster.manager.bus.window import (
    LEAST,
    LEAST_RECORDED,
    MOST,
    PERIOD_SECONDS,
    PERIODS,
    PROBES,
    Window,
)

EACH = 10e-6
"""Seconds that the server of these tests takes for each envelope."""


class Bus:
    """A server that is ``trip`` seconds away, in the time of the test, and envelopes that wait for it."""

    def __init__(self, trip, least=LEAST_RECORDED):
        self.window = Window(least)
        self.least = least
        self.trip = trip
        self.now = 1000.0

    @property
    def half(self):
        """The envelopes of one batch: half of those for which there is room, and the one that has to go."""
        return max(1, self.window.size // 2)

    def take(self, count, seconds=None):
        """Let the server take so many, and return the seconds that it takes."""
        began = self.now
        self.now += self.trip + count * EACH if seconds is None else seconds
        self.window.took(count, began, self.now)
        return self.now - began

    def flood(self, batches=100):
        """Let envelopes wait as long as there is room; half of them are on their way.

        Returns the seconds that one batch takes in the end.
        """
        for _ in range(batches):
            seconds = self.take(self.half)
        return seconds

    def rate(self, seconds):
        """The envelopes that the server takes in each second of a flood of so many."""
        began, taken = self.now, 0
        while self.now < began + seconds:
            taken += self.half
            self.take(self.half)
        return taken / (self.now - began)


def test_it_is_open_at_first():
    """Until a server has answered, nobody waits for less than before."""
    assert Window().size == MOST


@pytest.mark.parametrize("least", [LEAST, LEAST_RECORDED])
def test_little_waits_for_a_near_server(least):
    """A flood leaves no more than fits into a few round trips, so that its last event is not late."""
    bus = Bus(0.0003, least)
    bus.take(1)
    assert bus.flood() < 0.001 + EACH * least / 2
    assert bus.window.size == least


@pytest.mark.parametrize("trip", [0.002, 0.01, 0.05])
def test_a_far_server_is_kept_busy(trip):
    """What is on its way takes about as long as the way: the server is idle half of the time at most."""
    bus = Bus(trip)
    bus.take(1)
    assert bus.window.size == bus.least
    bus.flood()
    assert bus.window.size == MOST or bus.half * EACH > 0.4 * trip


def test_a_server_that_has_become_slow():
    """When each envelope takes much longer, fewer wait, down to the least."""
    bus = Bus(0.02)
    bus.flood()
    assert bus.window.size > 4 * bus.least
    bus.take(bus.half, 5.0)
    assert bus.window.size == bus.least


def test_a_new_connection_may_lead_elsewhere():
    """What was measured on one connection says nothing of the next."""
    bus = Bus(0.0003)
    bus.flood()
    bus.window.open()
    assert bus.window.size == MOST
    bus.take(500, 0.01)
    assert bus.window.size > 500


@pytest.mark.parametrize("trip", [0.01, 0.05])
def test_a_server_that_has_gone_away_for_good(trip):
    """A server that was near once is kept as busy, after a while, as one that was always far."""
    far, moved = Bus(trip), Bus(0.0003)
    moved.flood()
    moved.trip = trip
    for bus in (far, moved):
        bus.rate(1.2 * PERIODS * PERIOD_SECONDS)
    assert moved.rate(60) > 0.95 * far.rate(60)


def test_a_server_that_has_come_nearer():
    """Little waits for a server that was far once."""
    bus = Bus(0.05)
    bus.flood()
    bus.trip = 0.0003
    bus.rate(1.5 * PERIOD_SECONDS)
    assert bus.flood() < 0.002


def test_a_long_flood_is_no_slow_server():
    """The room does not grow, however long a flood lasts: its own batches are not taken for the way."""
    bus = Bus(0.0003)
    for _ in range(20):
        bus.rate(1.5 * PERIOD_SECONDS)
        assert bus.flood(10) < 0.002
        assert bus.window.size == bus.least


def test_a_busy_moment_is_no_far_server():
    """When the process is busy just while the way is measured, no more waits than before."""
    bus = Bus(0.0003)
    bus.take(1)
    bus.now += PERIOD_SECONDS
    for _ in range(PROBES + 1):
        bus.take(1, 0.1)
    assert bus.flood() < 0.002


def test_to_measure_costs_little():
    """A far server takes nearly as much as it would if no more were measured."""
    bus = Bus(0.05)
    assert bus.rate(100) > 0.9 * (MOST // 2) / (0.05 + MOST // 2 * EACH)
