"""Master and workers. The workers have the users; the master merges their reports and gives the verdict."""

from __future__ import annotations

from typing import Any

import gevent

from socketio_cluster.loadtest.recorder import Recorder
from socketio_cluster.loadtest.run import Run

QUIET, COLLECT, LEDGER = "loadtest-quiet", "loadtest-collect", "loadtest-ledger"

PATIENCE = 10.0
"""Seconds a worker may take to send its ledger."""


class Master(Run):
    """Has no users of its own."""

    lag = 5  # workers report every 3 s

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self._answered: set[str] = set()
        self._reported: set[str] = set()
        self._machines: set[str] = set()
        self._clocks: dict[str, tuple[float, float]] = {}
        environment.runner.register_message(LEDGER, self._ledger)
        environment.events.worker_report.add_listener(self._report)

    def _work(self) -> list[Any]:
        return [work for work in super()._work() if work != self._sample]

    def start(self) -> None:
        """Forget all workers. Those that report from now on belong to this test."""
        self._reported.clear()
        self._answered.clear()
        super().start()

    def hush(self) -> None:
        """Tell the senders of all workers to stop."""
        self.environment.runner.send_message(QUIET)

    def collect(self) -> None:
        """Ask every worker for its ledger and wait until it is here."""
        self._answered.clear()
        self.environment.runner.send_message(COLLECT)
        with gevent.Timeout(PATIENCE, False):
            while not self._workers() <= self._answered:
                gevent.sleep(0.02)

    def _workers(self) -> set[str]:
        clients = self.environment.runner.clients
        return {client.id for client in (*clients.ready, *clients.spawning, *clients.running)}

    def skew(self) -> float:
        """Seconds by which the clocks of two workers may differ."""
        if self.options.clock == "own":
            return 0.0
        return 2 * max((error for error, _ in self._clocks.values()), default=0.0)

    def stop(self) -> None:
        """Say how the test was, and whether its clocks can be believed."""
        if missing := len(self._reported - self._answered):
            text = f"{missing} workers sent no ledger: what their users sent and got is not judged"
            self.recorder.timeline.error(text, self.recorder.now())
        if len(self._machines) > 1 and self.options.clock == "own":
            self.warnings.append(
                "The workers are on several machines: without --clock server, latencies and what was "
                "expected are only as right as their clocks agree."
            )
        spread = max((spread for _, spread in self._clocks.values()), default=0.0)
        if spread > 0.005 and self.options.clock == "server":
            self.warnings.append(f"The clocks of the nodes differ by {spread * 1000:.0f} ms.")
        super().stop()

    def _report(self, client_id: str, data: dict[str, Any]) -> None:
        if "loadtest" in data:
            self._reported.add(client_id)
            self._merge(data["loadtest"])

    def _ledger(self, environment: Any, msg: Any, **_: Any) -> None:
        self._merge(msg.data)
        self.ledger.merge(msg.data["ledger"])
        self._clocks[msg.node_id] = tuple(msg.data["clock"])
        self._answered.add(msg.node_id)

    def _merge(self, report: dict[str, Any]) -> None:
        self.recorder.timeline.merge(report["timeline"])
        self._machines.add(report["machine"])


class Worker(Run):
    """Has users, and does what the master says."""

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        environment.runner.register_message(QUIET, self._hush)
        environment.runner.register_message(COLLECT, self._collect)
        environment.events.report_to_master.add_listener(self._report)

    def _new_recorder(self) -> Recorder:
        runner, workers = self.environment.runner, getattr(self.options, "expect_workers", 1)
        server_clock = self.options.clock == "server"
        return Recorder(index=runner.worker_index, workers=workers, server_clock=server_clock)

    def _work(self) -> list[Any]:
        return [self._sample]

    def stopping(self) -> None:
        """The master has judged before it stopped us."""

    def stop(self) -> None:
        """The master has the verdict."""
        gevent.killall(self._helpers)
        self._helpers = []

    def _hush(self, environment: Any, msg: Any, **_: Any) -> None:
        self.hush()

    def _collect(self, environment: Any, msg: Any, **_: Any) -> None:
        self.environment.runner.send_message(LEDGER, self.recorder.full_report())

    def _report(self, client_id: str, data: dict[str, Any]) -> None:
        data["loadtest"] = self.recorder.report()
