"""jitter: connections that are cut off for a short while, again and again."""

from __future__ import annotations

import random

import gevent

from socketio_cluster.loadtest.scenarios.room import Room

HURRY = 0.1
"""Seconds until the first try, at most: how long a client is away is for `--away` to say."""


class Jitter(Room):
    """As room; each user's connection is cut every `--cut-every` seconds, and made anew after `--away`."""

    tolerant = True
    recovers = True
    _cutter: gevent.Greenlet | None = None

    def prepare(self) -> None:
        """Join rooms; from now on the connection is cut, at other times than those of other users."""
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
