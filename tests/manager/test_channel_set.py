"""Sets of channels: nothing in them is missed, and little else is taken for one of them."""

from __future__ import annotations

import pytest

from socketio_cluster.manager.bus.channel_set import EXACT, ChannelSet, mark, pack_marks, reader


def rooms(count, name="room"):
    return [f"{{sio}}:room:/,s{name}{number}" for number in range(count)]


@pytest.mark.parametrize(
    ("count", "size", "wrong"),
    [(0, 1, 0), (200, 801, 0), (EXACT, 8193, 0), (5000, 8193, 0.1), (50_000, 32769, 0.1)],
)
def test_holds(count, size, wrong):
    """All that was put in is found; few are exact and small, many are bounded and nearly exact."""
    raw = ChannelSet(rooms(count)).raw
    assert len(raw) == size
    holds = reader(raw)
    assert all(holds([room]) for room in rooms(count))
    others = rooms(2000, "other")
    assert sum(holds([room]) for room in others) <= wrong * len(others)


def test_one_of_several():
    """An envelope to several channels is needed when one of them is."""
    holds = reader(ChannelSet(["a", "b"]).raw)
    assert holds(("x", "b"))
    assert not holds(("x", "y"))
    assert not holds(())


def test_meets():
    """Marks of others meet the set when one of them is in it."""
    needs = ChannelSet(rooms(3000))
    assert needs.meets(pack_marks([mark("x"), mark(rooms(1)[0])]))
    assert not needs.meets(pack_marks([mark("x")]))
    assert not needs.meets(b"")


@pytest.mark.parametrize(
    "raw", [b"", b"\x00abc", b"\x01", b"\x01" + bytes(3), b"\x01" + bytes(65536), b"\x02abcd"]
)
def test_rubbish(raw):
    """Bytes that are no set are refused."""
    with pytest.raises(ValueError):
        reader(raw)


def test_rubbish_for_marks():
    """Bytes that are no marks are refused."""
    with pytest.raises(ValueError):
        ChannelSet(["a"]).meets(b"abc")
