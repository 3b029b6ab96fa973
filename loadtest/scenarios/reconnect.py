"""reconnect: all clients of a node lose their connection at once and come back."""

from __future__ import annotations

import time

from socketio_cluster.loadtest.scenarios.room import Room


class Reconnect(Room):
    """The scenario `room`; every `--cut-every` seconds all users of the next node break their connections.

    With `--disturb` its command does this, by killing a node.
    """

    tolerant = True
    recovers = True
    _cuts: int | None = None

    def step(self) -> None:
        """Say something, or lose the connection when it is this node's turn."""
        cuts = int(time.time() / self.options.cut_every)
        due, self._cuts = self._cuts is not None and cuts != self._cuts, cuts
        nodes = sorted(self.recorder.connections)
        if due and not self.options.disturb and nodes[cuts % len(nodes)] == self.node:
            assert self.client is not None
            self.client.cut()
        else:
            super().step()
