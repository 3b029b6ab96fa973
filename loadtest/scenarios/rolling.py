"""rolling: the nodes are restarted one after the other."""

from __future__ import annotations

from socketio_cluster.loadtest.scenarios.room import Room


class Rolling(Room):
    """The scenario `room`, while `--disturb` restarts nodes: connections may break and connects may fail."""

    tolerant = True
    recovers = True
