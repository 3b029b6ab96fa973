"""gunicorn as a process of the tests."""

from __future__ import annotations

import subprocess
import sys
import threading

from tests.cluster.command import ROOT, clean_environment
from tests.services.process import free_port, stop


class Gunicorn:
    """A running gunicorn; as a context manager it is stopped at the end.

    Args:
        app: ``module:name`` of the application.
        options: of the command line.
        env: settings beside this process's own environment.
    """

    def __init__(self, app: str, *options: str, env: dict[str, str] | None = None) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *options, "--bind", f"127.0.0.1:{port}", app],
            cwd=ROOT,
            env=clean_environment() | (env or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Gunicorn:
        return self

    def __exit__(self, *_: object) -> None:
        stop(self.process, seconds=20)
        self._reader.join(10)

    def _read(self) -> None:
        with self.process.stdout as output:
            for line in output:
                self.lines.append(line.rstrip())
