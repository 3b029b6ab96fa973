"""``Service``: a server of the tests that can be killed, frozen and started again."""

from __future__ import annotations

import signal
import subprocess
from abc import ABC, abstractmethod

from tests.services.process import stop


class Service(ABC):
    """One server process; as a context manager it runs until the end. ``start`` sets ``_process``."""

    _process: subprocess.Popen | None = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.resume()
        if self._process is not None:
            stop(self._process)

    @abstractmethod
    def start(self):
        """Start, or start again at the same place."""

    def stop(self):
        """Kill it, without a goodbye to anybody."""
        self._process.kill()
        self._process.wait()

    def pause(self):
        """Make it a black hole: connections stay, nothing answers."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self):
        """Let it go on after ``pause``."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
