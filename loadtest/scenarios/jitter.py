"""jitter: connections that are cut off for a short while, again and again."""

from __future__ import annotations

import random

import gevent

from socketio_cluster.loadtest.scenarios.room import Room

HURRY = 0.1
"""At most so many seconds pass before the first try, because `--away` says how long a client is away."""


class Jitter(Room):
    """The scenario `room`; connections are cut every `--cut-every` seconds, and made anew after `--away`."""

    tolerant = True
    recovers = True
    _cutter: gevent.Greenlet | None = None

    def prepare(self) -> None:
        """Join rooms. From now on the connection is cut, for each user at other times."""
        super().prepare()
        self._cutter = gevent.spawn(self._cut)

    def _cut(self) -> None:
        gevent.sleep(random.uniform(0, self.options.cut_every))
        while not self.recorder.quiet:
            if self.connected and self.client is not None:
                self.client.cut()
            gevent.sleep(self.options.cut_every)

    def reconnect(self, *, first: float = HURRY, longest: float = 5.0) -> None:
        """Stay away, and then connect."""
        gevent.sleep(self.options.away)
        super().reconnect(first=first, longest=longest)

    def on_stop(self) -> None:
        """Locust stops this user."""
        if self._cutter is not None:
            self._cutter.kill()
        super().on_stop()
