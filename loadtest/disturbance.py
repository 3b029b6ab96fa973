"""A disturbance: a command of the user's, run in the middle of a test to see what it does to the clients."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import gevent

from socketio_cluster.loadtest.recorder import Recorder


class Disturbance:
    """Runs `--disturb` once, `--disturb-after` seconds after the start; when it fails, that is an error."""

    def __init__(self, options: Any, recorder: Recorder) -> None:
        self._command: str | None = options.disturb
        self._after: float = options.disturb_after
        self._recorder = recorder

    def run(self) -> None:
        """Wait, run the command and note how it ended. If this is killed, the command ends too."""
        if not self._command:
            return
        gevent.sleep(self._after)
        print(f"disturbing: {self._command}", file=sys.stderr, flush=True)
        process = subprocess.Popen(self._command, shell=True, stdin=subprocess.DEVNULL)  # noqa: S602 - the user's own
        try:
            code = process.wait()
        finally:
            if process.poll() is None:
                process.terminate()
        if code:
            self._recorder.timeline.error(
                f"disturb: the command ended with code {code}", self._recorder.now()
            )
