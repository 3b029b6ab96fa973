"""A run: what one Locust process does around the users from the start of a test to its verdict."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent

from socketio_cluster.loadtest.clock import to_next_second
from socketio_cluster.loadtest.disturbance import Disturbance
from socketio_cluster.loadtest.ledger import Ledger
from socketio_cluster.loadtest.options import names, tidy
from socketio_cluster.loadtest.progress import line
from socketio_cluster.loadtest.recorder import Recorder
from socketio_cluster.loadtest.result import summarize
from socketio_cluster.loadtest.table import render
from socketio_cluster.loadtest.thresholds import THRESHOLDS
from socketio_cluster.loadtest.verdict import Verdict, judge

EVERY = 2
"""Seconds between two lines of progress."""

QUIET = 1.0
"""Seconds in which nothing comes any more at the end of a run, before it is judged."""


class Run:
    """A test without workers: this process has the users and judges. `Master` and `Worker` share the two."""

    lag = 0
    """Seconds after which all of a second's figures are here."""

    def __init__(self, environment: Any) -> None:
        self.environment = environment
        self.options = environment.parsed_options
        self.recorder = Recorder()
        self.ledger: Ledger = self.recorder.ledger
        self.verdict = Verdict()
        self.warnings: list[str] = []
        self._started = 0.0
        self._helpers: list[gevent.Greenlet] = []

    # The stages, called by the hooks

    def start(self) -> None:
        """Start the test. The users come after this."""
        tidy(self.options)
        self.recorder = self._new_recorder()
        self.ledger = self.recorder.ledger
        self.warnings = []
        self._started = time.time()
        self._helpers = [gevent.spawn(work) for work in self._work()]

    def stopping(self) -> None:
        """Let nobody send any more, and wait for what is due, but not for ever.

        It is over when nothing is due, nobody waits for an answer, and nothing has come for a while.
        """
        self.hush()
        deadline = time.monotonic() + self.options.quiet
        self.verdict = self._judge()
        while True:
            gevent.sleep(QUIET)
            before, self.verdict = self.verdict, self._judge()
            is_over = self.verdict == before and not (self.verdict.lost or self.ledger.open)
            if is_over or time.monotonic() >= deadline:
                return

    def stop(self) -> None:
        """Print the verdict, after the test has stopped, and set the exit code."""
        gevent.killall(self._helpers)
        self._helpers = []
        result = self._result()
        self.environment.process_exit_code = 0 if result["ok"] else 1
        print("\n" + render(result), flush=True)
        try:
            self._write(result)
        except OSError as error:  # Locust would log it, and end with 0
            print(f"loadtest: {error}", file=sys.stderr, flush=True)
            self.environment.process_exit_code = 2

    @property
    def active(self) -> bool:
        """Whether a test has started and not yet stopped."""
        return bool(self._helpers)

    # Its parts

    def _new_recorder(self) -> Recorder:
        return Recorder(server_clock=self.options.clock == "server")

    def _work(self) -> list[Any]:
        return [self._sample, self._tell, self._watch, Disturbance(self.options, self.recorder).run]

    def hush(self) -> None:
        """Tell all senders to stop."""
        self.recorder.quiet = True

    def collect(self) -> None:
        """Bring everything up to date that the verdict needs."""

    def skew(self) -> float:
        """Seconds by which the clocks of the generators may differ."""
        return 0.0

    def _judge(self) -> Verdict:
        self.collect()
        return judge(self.ledger, settle=self.options.settle, skew=self.skew())

    def _each_second(self) -> Iterator[None]:
        """Wait for the middle of each second: what comes a little early or late is still in the same one."""
        pause = to_next_second(self.recorder.now())
        while True:
            gevent.sleep(pause)
            due = time.monotonic() + to_next_second(self.recorder.now())
            yield
            pause = max(0.0, due - time.monotonic())

    def _sample(self) -> None:
        for _ in self._each_second():
            self.recorder.sample(self.environment.runner.user_count)

    def _tell(self) -> None:
        gevent.sleep(self.lag)
        while True:
            gevent.sleep(EVERY)
            text = line(self.recorder.timeline, self._started, time.time() - self.lag, EVERY)
            print(text, file=sys.stderr, flush=True)

    def _watch(self) -> None:
        """Ask the servers' /metrics each second."""
        if not self.options.metrics:
            return
        from socketio_cluster.loadtest.report.scrape import Scraper

        scraper = Scraper(self.options.metrics)
        for _ in self._each_second():
            second = self.recorder.timeline.at(self.recorder.now())
            second.server = scraper.poll()

    def _result(self) -> dict[str, Any]:
        classes = self.environment.user_classes
        options = {name: value for name, value in vars(self.options).items() if name in self._told()}
        options["host"] = self.environment.host
        limits = {name: getattr(self.options, name.replace("-", "_")) for name in THRESHOLDS}
        if limits["min-expected"] is None and any(getattr(one, "talks", False) for one in classes):
            limits["min-expected"] = 1
        scenario = ", ".join(_title(one.__name__.lower()) for one in classes)
        return summarize(scenario, options, limits, self.verdict, self.recorder.timeline, self.warnings)

    def _told(self) -> set[str]:
        return {*names(), "num_users", "spawn_rate", "run_time", "processes", "expect_workers"}

    def _write(self, result: dict[str, Any]) -> None:
        if self.options.verdict_file:
            Path(self.options.verdict_file).write_text(json.dumps(result, indent=1) + "\n")
        if self.options.report:
            from socketio_cluster.loadtest.report import write

            print(f"written: {write(result, Path(self.options.report))}", flush=True)


def _title(name: str) -> str:
    return f"{name.removeprefix('swarm')} (swarm)" if name.startswith("swarm") else name
