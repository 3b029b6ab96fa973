"""When a node counts as absent from a shard."""

from __future__ import annotations

from socketio_cluster.manager.bus.absent import Absent


def test_absent():
    """A node that is expected and does not come is named once, and again when it has been here meanwhile."""
    absent = Absent("sio:1/3", 8.0)
    assert absent.look(0.0, ["a", "b"], ["a"]) == []
    assert absent.look(8.0, ["a", "b"], ["a"]) == []
    assert absent.look(8.1, ["a", "b"], ["a"]) == ["b"]
    assert absent.look(20.0, ["a", "b"], ["a"]) == []
    assert absent.look(21.0, ["a", "b"], ["a", "b"]) == []
    assert absent.look(22.0, ["a", "b"], ["a"]) == []
    assert absent.look(31.0, ["a", "b"], ["a"]) == ["b"]
    assert absent.look(32.0, ["a"], []) == []
