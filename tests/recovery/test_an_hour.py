"""Clients that are idle for an hour and then cut off, by the clock of the bus alone."""

from __future__ import annotations

import pytest

from socketio_cluster.manager.bus.stamp import Stamp
from socketio_cluster.manager.bus.store import Begin, Claim, Claimed, Look, Open, Read, Release, Renew
from socketio_cluster.manager.recovery.leases import Positions
from socketio_cluster.manager.recovery.memory import Memory
from socketio_cluster.manager.recovery.times import Times

BEGIN = 1_795_864_590
HOUR = 3600
TIMES = Times(60.0, 45.0)
MINE, BUSY = "channel of mine", "channel of others"


class Bus:
    """A memory in which others get an event each second, and a lease is renewed in time."""

    def __init__(self):
        self.now = BEGIN
        self._sent = 0
        self._memory = Memory(self.now)
        self._positions = Positions(TIMES.unnoticed)
        self.ask(Begin(TIMES.history, 10**9))

    def ask(self, operation):
        return self._memory.carry_out(operation, self.now)

    def emit(self, channel, payload):
        self._sent += 1
        self._memory.record("nodenode", self._sent, (channel,), payload, self.now)

    def live(self, seconds, *, renewing):
        """Let so many seconds go by. ``renewing`` are the session's sid and claim, or None."""
        for _ in range(round(seconds)):
            self.now += 1
            self.emit(BUSY, b"busy")
            if (self.now - BEGIN) % TIMES.renewal == 0:
                place = self.ask(Look())
                reached = self._positions.mark(self.now, Stamp(place.epoch, place.last))
                if renewing:
                    assert self.ask(Renew([(*renewing, reached)], TIMES.session)) == []


@pytest.mark.parametrize(
    ("away", "recovered"), [(0.01, True), (0.9 * TIMES.away, True), (TIMES.away + 1, False)]
)
@pytest.mark.parametrize("unnoticed", [0, TIMES.unnoticed])
def test_idle_for_an_hour(away, recovered, unnoticed):
    """It is recovered as long as it may be away, also when its end was noticed as late as can be."""
    bus, session = Bus(), ("sid", "c1")
    bus.ask(Open("sid", "secret", "/", "A", "c1", TIMES.session))
    bus.live(HOUR, renewing=session)
    bus.emit(MINE, b"missed 1")
    bus.live(unnoticed, renewing=session)
    assert bus.ask(Release(*session, TIMES.away))
    bus.emit(MINE, b"missed 2")
    bus.live(away, renewing=None)
    bus.now += away % 1
    claimed = bus.ask(Claim("sid", "secret", "/", "B", "c2", TIMES.session))
    assert isinstance(claimed, Claimed) is recovered
    if recovered:
        piece = bus.ask(Read([MINE], claimed.position, 10, 10_000))
        assert [payload for _, payload in piece.events] == [b"missed 1", b"missed 2"]
        assert piece.place.floor <= claimed.position


def test_ten_times_in_a_row():
    """An hour later each time, and after each cut it has what it missed since the one before."""
    bus, claim = Bus(), "c0"
    bus.ask(Open("sid", "secret", "/", "A", claim, TIMES.session))
    position = 0
    for cut in range(10):
        bus.live(HOUR, renewing=("sid", claim))
        assert bus.ask(Release("sid", claim, TIMES.away))
        bus.emit(MINE, b"missed %d" % cut)
        bus.live(TIMES.away - 1, renewing=None)
        claim = f"c{cut + 1}"
        claimed = bus.ask(Claim("sid", "secret", "/", "B", claim, TIMES.session))
        assert claimed.position > position
        position = claimed.position
        piece = bus.ask(Read([MINE], position, 10, 10_000))
        assert [payload for _, payload in piece.events] == [b"missed %d" % cut]


def test_its_node_was_killed():
    """Then nobody says that it is away: its session still lives for as long as it may be."""
    bus = Bus()
    bus.ask(Open("sid", "secret", "/", "A", "c1", TIMES.session))
    bus.live(HOUR, renewing=("sid", "c1"))
    bus.emit(MINE, b"missed")
    bus.live(TIMES.away, renewing=None)
    claimed = bus.ask(Claim("sid", "secret", "/", "B", "c2", TIMES.session))
    piece = bus.ask(Read([MINE], claimed.position, 10, 10_000))
    assert [payload for _, payload in piece.events] == [b"missed"]
