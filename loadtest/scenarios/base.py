"""What all scenarios share: a user connects, acts at a steady pace, and reconnects after a break."""

from __future__ import annotations

import random
import time
from contextlib import suppress
from typing import Any

import gevent
from locust import task

from socketio_cluster.loadtest.errors import LoadTestError
from socketio_cluster.loadtest.user import SocketIOUser


class Scenario(SocketIOUser):
    """A user that prepares itself once, and then takes a `step` at each turn, `--rate` times a second."""

    abstract = True

    talks = True
    """Whether messages flow between users, so that a run without any has failed."""

    default_senders: int | None = None
    """How many users act when `--senders` does not say; None for all."""

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        senders = self.options.senders or self.default_senders
        self.acts = senders is None or self.number < senders
        self._prepared = False
        self._period = 1 / self.options.rate
        self._next = time.monotonic() - random.uniform(0, self._period)

    def prepare(self) -> None:
        """Override: what to do after the first connect; rooms joined here are joined again later."""

    def step(self) -> None:
        """Override: one turn of a user that acts; a LoadTestError ends it, and has been counted."""

    def on_start(self) -> None:
        """Connect at once; when that fails, the first turn tries again."""
        with suppress(LoadTestError):
            self.connect()

    def _pause(self) -> float:
        """Seconds to the next step; steps that are late are not made up for."""
        now = time.monotonic()
        self._next = max(self._next + self._period, now)
        return self._next - now

    @task
    def turn(self) -> None:
        """What Locust calls again and again."""
        if self.recorder.quiet and (self.connected or not self.comes_back):
            gevent.sleep(1)
        elif not self.connected or self.client is None:
            self.reconnect()
        elif not self._prepared:
            self._prepared = True
            with suppress(LoadTestError):
                self.prepare()
        elif self.client.gone.wait(self._pause() if self.acts else None):
            return  # it broke meanwhile: the next turn connects again
        elif not self.recorder.quiet:
            with suppress(LoadTestError):
                self.step()
