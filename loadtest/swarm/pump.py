"""Runs the swarm's engine in one greenlet, and tells the recorder what it counts."""

from __future__ import annotations

import os
from time import time

import gevent

from socketio_cluster.loadtest.recorder import Recorder
from socketio_cluster.loadtest.swarm.engine import Engine
from socketio_cluster.loadtest.swarm.said import Said

READ = 1
"""libev's name for readable."""
PAUSE = 0.2
"""Seconds after which counts are passed on, though nothing arrives."""


class Pump:
    """The engine of one process and the greenlet that turns it."""

    def __init__(self, recorder: Recorder) -> None:
        self.engine = Engine(self._sample)
        self._recorder = recorder
        self._noted = 0
        self._greenlet = gevent.spawn(self._run)

    def close(self) -> None:
        """End all connections."""
        self._greenlet.kill()
        self.engine.close()

    def _run(self) -> None:
        hub = gevent.get_hub()
        readable = hub.loop.io(self.engine.fileno(), READ)
        while True:
            busy = self.engine.turn()
            self._note()
            if busy:
                gevent.sleep(0)  # the users' greenlets have their turn
            else:
                with gevent.Timeout(PAUSE, exception=False):
                    hub.wait(readable)

    def _note(self) -> None:
        new = self.engine.meter.deliveries - self._noted
        if new:
            self._noted += new
            self._recorder.timeline.at(self._recorder.now()).counts["deliveries"] += new

    def _sample(self, node: str | None, said: Said, read: float) -> None:
        now = self._recorder.now() - (time() - read)
        kind = "same_node" if said.node == node else "cross_node"
        self._recorder.timeline.time(kind, max(now - said.t, 1e-5), now)


_pumps: dict[tuple[int, Recorder], Pump] = {}


def pump_of(recorder: Recorder) -> Pump:
    """The pump of this process for a recorder, made at its first use."""
    key = os.getpid(), recorder
    if key not in _pumps:
        for old in [known for known in _pumps if known[0] == key[0]]:
            _pumps.pop(old).close()
        _pumps[key] = Pump(recorder)
    return _pumps[key]
