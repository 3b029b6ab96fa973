"""A hub in a process of its own, which can be killed and stopped."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.services.process import stop

PROGRAM = """
import asyncio, sys
from socketio_cluster.manager.brokers.hub import Hub

async def main():
    async with Hub(sys.argv[1]):
        print("ready", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


class HubServer:
    """A hub on a socket in a short folder of its own (a socket's path has 107 bytes at most)."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._short = tempfile.TemporaryDirectory(prefix="hub-")
        self.path = Path(self._short.name) / "bus.sock"
        self.url = f"local://{self.path}"
        self._process: subprocess.Popen | None = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.resume()
        if self._process is not None:
            stop(self._process)
        self._short.cleanup()

    def start(self):
        """Start, or start again on the same path."""
        with (self.folder / "hub.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, str(self.path)], stdout=subprocess.PIPE, stderr=log
            )
        with self._process.stdout as output:
            if output.readline() != b"ready\n":
                raise RuntimeError((self.folder / "hub.log").read_text())

    def stop(self):
        """Kill it; the socket's file stays behind."""
        self._process.kill()
        self._process.wait()

    def pause(self):
        """Make it a black hole: connections stay, nothing answers."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self):
        """Let it go on after ``pause``."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
