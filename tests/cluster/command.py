"""`python -m socketio_cluster` as a process of the tests: its output by line, its workers by pid."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from tests.services.process import stop

ROOT = Path(__file__).parents[2]
SERVES = re.compile(r"(node-\d+) \((\S+)\) serves (\S+)(?: and (\S+))?, bus")


class Command:
    """A running command; as a context manager it is stopped at the end. ``inside`` stands before it.

    Without ``drain`` clients are let go at once.
    """

    def __init__(
        self,
        *arguments: str,
        env: dict[str, str] | None = None,
        cwd: Path = ROOT,
        inside: Sequence[str] = (),
        drain: bool = False,
    ) -> None:
        self.lines: list[str] = []
        self._news = threading.Condition()
        self.process = subprocess.Popen(
            [*inside, sys.executable, "-m", "socketio_cluster", *arguments],
            cwd=cwd,
            # Draining has tests of its own; the others shall not wait for their clients to be let go.
            env={
                **clean_environment(),
                **({} if drain else {"CLUSTER_DRAIN_WINDOW": "0"}),
                **(env or {}),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Command:
        return self

    def __exit__(self, *_: object) -> None:
        stop(self.process, seconds=20)
        self._reader.join(10)

    def _read(self) -> None:
        with self.process.stdout as output:
            for line in output:
                with self._news:
                    self.lines.append(line.rstrip())
                    self._news.notify_all()

    def wait_for(self, pattern: str, *, times: int = 1, seconds: float = 60) -> list[re.Match[str]]:
        """The first `times` lines that match; fails with all output when they do not come."""
        with self._news:
            self._news.wait_for(lambda: len(self._matches(pattern)) >= times, seconds)
            matches = self._matches(pattern)
        assert len(matches) >= times, f"no {times} lines like {pattern!r} in:\n" + "\n".join(self.lines)
        return matches[:times]

    def _matches(self, pattern: str) -> list[re.Match[str]]:
        return [match for line in self.lines if (match := re.search(pattern, line))]

    def nodes(self, count: int) -> dict[str, list[str]]:
        """Wait for `count` nodes: their URLs (shared, then direct) by name."""
        found = self.wait_for(SERVES.pattern, times=count)
        return {match[1]: [url for url in match.groups()[2:] if url] for match in found}


def run(
    *arguments: str, env: dict[str, str] | None = None, cwd: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "socketio_cluster", *arguments],
        cwd=cwd,
        env={**clean_environment(), **(env or {})},
        capture_output=True,
        text=True,
        timeout=60,
    )


def clean_environment() -> dict[str, str]:
    """The environment without settings of another cluster."""
    return {key: value for key, value in os.environ.items() if not key.startswith("CLUSTER_")}


def alive(pid: int) -> bool:
    """Whether a process with this id runs.

    One that has ended does not, though it is listed until its parent asks: the parent of an orphan is the
    machine's first process, which may take its time.
    """
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2]
    except ProcessLookupError:
        return False
    except FileNotFoundError:  # it has ended just now, or this is no Linux
        return not Path("/proc/self").exists()
    return not state.startswith("Z")


def wait_until(condition, *, seconds: float = 20) -> None:
    """Look every 20 ms until the condition of another process holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.02)
