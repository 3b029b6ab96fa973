"""Another node with this node's id."""

from __future__ import annotations

from socketio_cluster.manager.bus.receiver import Twin


def test_a_second_node_of_the_id(caplog):
    """Words that this node has not said are another's: told once, until that was silent for dead_after."""
    twin = Twin([77.0], 8)
    assert not twin.heard("me", 77.0, 1.0)
    assert not twin.there(1.0)
    assert twin.heard("me", 78.0, 2.0)
    assert twin.heard("me", 80.0, 4.0)
    assert twin.there(11.9)
    assert not twin.there(12.0)
    assert len(caplog.records) == 1
