"""`python -m socketio_cluster.loadtest` as a process of the tests, and the result it writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from tests.services.process import stop

ROOT = Path(__file__).parents[2]
USERS = 12


class LoadTest:
    """A running load test: its output by line, and at its end the result it wrote into the folder."""

    def __init__(
        self, folder: Path, *arguments: str, module: str = "loadtest", env: dict[str, str] | None = None
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.file = folder / "result.json"
        # Under coverage, which does not know gevent, it would not end; there is nothing to measure in it.
        foreign = ("LOADTEST", "LOCUST", "COVERAGE_PROCESS")
        clean = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env={**clean, "LOADTEST_VERDICT_FILE": str(self.file), **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with self.process.stdout as output:
            for line in output:
                with self._news:
                    self.lines.append(line.rstrip())
                    self._news.notify_all()

    @property
    def output(self) -> str:
        """All it has said so far."""
        return "\n".join(self.lines)

    def wait_for(self, words: str, *, times: int = 1, seconds: float = 30) -> None:
        """Return when so many lines with these words have come."""
        with self._news:
            came = self._news.wait_for(lambda: sum(words in line for line in self.lines) >= times, seconds)
        assert came, f"{words!r} did not come in:\n{self.output}"

    def end(self, seconds: float = 60) -> int:
        """Wait until it ends by itself; gives the exit code."""
        try:
            return self.process.wait(seconds)
        finally:
            stop(self.process)
            self._reader.join(10)

    def result(self, code: int = 0) -> dict:
        """Its result, when it has ended with this exit code."""
        assert self.end() == code, self.output
        return json.loads(self.file.read_text())


def scenario(folder: Path, name: str, url: str, *arguments: str, seconds: int = 3) -> LoadTest:
    """A scenario with a dozen users who act five times a second."""
    given = ["--host", url, "-u", str(USERS), "-t", f"{seconds}s", "--rate", "5", "--settle", "0.5"]
    return LoadTest(folder, name, *given, *arguments)
