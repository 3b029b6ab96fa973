"""The book-keeping of recovery, without a bus and without clients."""

from __future__ import annotations

import pytest

from socketio_cluster.manager.bus.channels import Channels
from socketio_cluster.manager.bus.stamp import Stamp, read_stamp, stamped
from socketio_cluster.manager.bus.store import Begin, Place, Read
from socketio_cluster.manager.recovery.history import History
from socketio_cluster.manager.recovery.leases import Positions
from socketio_cluster.manager.recovery.offset import read_offset, write_offset
from socketio_cluster.manager.recovery.order import HELD_BYTES, Order
from socketio_cluster.manager.recovery.pid import digest, new_pid, sid_in
from socketio_cluster.manager.recovery.routes import MANY_ROOMS, route

NAMES = Channels("sio")
SID = "abcdefgh-twelve-more"


def test_stamp():
    """A stamp is read as it was written, whatever stands behind it; other bytes have none."""
    stamp = Stamp("aB3-_9", 1_795_864_590_708_566)
    assert read_stamp(stamped(stamp, b"\0N\xff")) == (*stamp, b"\0N\xff")
    for wrong in (b"", b"N", b"\1" * 40, b"NaB3-_9" + b"x" * 16):
        with pytest.raises(ValueError):
            read_stamp(wrong)


@pytest.mark.parametrize(
    "text", [None, 7, "", "hello", "aB3-_9", "aB3-_9xyz", "aB3-_9" + "1" * 15, ["aB3-_91"]]
)
def test_what_is_no_offset(text):
    """Any other text of the application, or value, is no offset."""
    assert read_offset(text) is None


def test_offset():
    """An offset is short, and is read as it was written."""
    stamp = Stamp("aB3-_9", 1_795_864_590_708_566)
    text = write_offset(*stamp)
    assert read_offset(text) == stamp
    assert len(text) == 19


def test_pid():
    """A pid tells its sid, and cannot be told from its digest; other values are no pids."""
    pid = new_pid(SID)
    assert sid_in(pid) == SID
    assert new_pid(SID) != pid
    assert pid[len(SID) :] not in digest(pid)
    for wrong in (None, 5, "", SID, pid + "x", pid[:-1], "ü" * 40):
        assert sid_in(wrong) is None


def test_routes():
    """An event goes to rooms and to the nodes that sids name; it is kept in the histories of the rooms."""
    red, sid = NAMES.room("/", "red"), NAMES.room("/", SID)
    assert route(NAMES, "/", None) == ((NAMES.namespace("/"),), (NAMES.namespace("/"),))
    assert route(NAMES, "/", ["red", "red"]) == ((red,), (red,))
    assert route(NAMES, "/", [SID, "red"]) == ((sid, red, NAMES.inbox("abcdefgh")), (sid, red))
    many = [str(number) for number in range(MANY_ROOMS + 1)]
    assert route(NAMES, "/", many).recorded == (NAMES.namespace("/"),)


def begun():
    order = Order()
    order.begin(Place("epoch1", 100, 50))
    assert order.release() == []
    return order


def test_live_events_come_once():
    """Numbers that are not above the last one are repeats."""
    order = begun()
    assert [order.live("epoch1", number, "x", 1) for number in (100, 101, 101, 105, 104)] == [
        False,
        True,
        False,
        True,
        False,
    ]
    assert order.stamp == Stamp("epoch1", 105)


def test_after_a_cut():
    """What comes while the missed events are read is held, and handled if it was not among them."""
    order = begun()
    order.cut()
    assert not order.live("epoch1", 110, "a", 1)
    assert not order.live("epoch1", 120, "b", 1)
    assert order.reaches_back(Place("epoch1", 120, 100))
    assert not order.reaches_back(Place("epoch1", 120, 101))
    assert not order.reaches_back(Place("epoch2", 120, 50))
    order.seen = 115
    assert order.release() == [(120, "b")]
    assert order.live("epoch1", 121, "c", 1)


def test_too_much_to_hold():
    """What finds no place is not handled: the node stays behind, and reads again."""
    order = begun()
    order.cut()
    order.live("epoch1", 110, "a", 1)
    order.live("epoch1", 120, "b", HELD_BYTES)
    order.live("epoch1", 130, "c", 1)
    assert order.release() == [(110, "a")]
    assert order.behind
    assert order.release() == []
    assert not order.behind


def test_positions():
    """A client has got everything that the node had handled so many seconds ago, in the same epoch."""
    positions = Positions(10.0)
    assert [positions.mark(at, Stamp("a", at)) for at in (0, 5, 10, 15, 25)] == [0, 0, 0, 5, 15]
    assert positions.mark(26, Stamp("b", 26)) == 0
    assert positions.mark(40, Stamp("b", 40)) == 26


def test_history_is_bounded():
    """Old events go, and those beyond the bytes; the floor tells up to where, and they take nothing."""
    history = History("epoch1", 1000.0)
    history.begin(Begin(60.0, 100_000))
    for number in range(1, 101):
        history.record("nodenode", number, (f"channel {number % 7}",), b"x" * 700, 1000.0 + number)
    assert 0 < history.size <= 100_000
    read = history.read(Read(None, history.floor, 1000, 10**9))
    assert len(read.events) == 61  # of the last 60 seconds
    assert read.events[0][0] > read.place.floor == history.floor
    history.expire(2000.0)
    assert (history.size, history.floor) == (0, history.last)
    assert history.read(Read(["channel 1"], 0, 10, 1000)).events == []
