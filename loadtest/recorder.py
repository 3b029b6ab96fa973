"""The recorder: the one place of a process where its users note what they did and what they saw."""

from __future__ import annotations

import socket
import time
import uuid
from collections import Counter
from itertools import count
from typing import Any

from socketio_cluster.loadtest.clock import Clock
from socketio_cluster.loadtest.ledger import Ledger
from socketio_cluster.loadtest.timeline import Timeline


class Recorder:
    """Ledger, timeline and clock of one run in this process; ids it gives are unique among all workers."""

    def __init__(self, *, index: int = 0, workers: int = 1, server_clock: bool = False) -> None:
        """`index` tells this worker from the others (from 0) of `workers`."""
        self.ledger = Ledger()
        self.timeline = Timeline()
        self.clock = Clock()
        self.connections: Counter[str] = Counter()
        self.quiet = False
        """Whether the end of the run has come: nobody sends any more, everybody still listens."""
        self._index, self._workers = index, max(workers, 1)
        self._server_clock = server_clock
        self._name = uuid.uuid4().hex[:6]
        self._users, self._streams = count(), count(1)
        self._cpu_at = (time.monotonic(), time.process_time())

    def now(self) -> float:
        """Seconds of the clock that all generators share."""
        return time.time() + (self.clock.offset if self._server_clock else 0.0)

    def new_user(self) -> tuple[int, str]:
        """A user's number, from 0 and different on all workers, and its name."""
        local = next(self._users)
        return local * self._workers + max(self._index, 0), f"{self._name}.{local}"

    def new_source(self) -> str:
        """An id for a stream."""
        return f"{self._name}-{next(self._streams)}"

    def sample(self, users: int) -> None:
        """Note the state of this second: users, connections, the CPU this process has used since the last."""
        second = self.timeline.at(self.now())
        second.users = users
        second.connections = +self.connections
        wall, cpu = time.monotonic(), time.process_time()
        last_wall, last_cpu = self._cpu_at
        second.generator_cpu = (cpu - last_cpu) / max(wall - last_wall, 1e-3)
        self._cpu_at = (wall, cpu)

    def report(self) -> dict[str, Any]:
        """Return what has happened since the last report. The master adds it to its timeline."""
        return {"timeline": self.timeline.take(), "machine": socket.gethostname()}

    def full_report(self) -> dict[str, Any]:
        """A report with the whole ledger and the clock's errors, for the verdict."""
        clock = [self.clock.error, self.clock.spread]
        return {**self.report(), "ledger": self.ledger.dump(), "clock": clock}
