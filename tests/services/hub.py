"""A hub in a process of its own, which can be killed and stopped."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.services.guard import launch
from tests.services.service import Service

PROGRAM = """
import asyncio, sys
from socketio_cluster.manager.brokers.hub import Hub

async def main():
    async with Hub(sys.argv[1]):
        print("ready", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


class HubServer(Service):
    """A hub on a socket in a short folder of its own (a socket's path has 107 bytes at most)."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._short = tempfile.TemporaryDirectory(prefix="hub-")
        self.path = Path(self._short.name) / "bus.sock"
        self.url = f"local://{self.path}"

    def __exit__(self, *_):
        super().__exit__()
        self._short.cleanup()

    def start(self):
        """Start, or start again on the same path."""
        with (self.folder / "hub.log").open("ab") as log:
            self._process = launch(
                [sys.executable, "-c", PROGRAM, str(self.path)], stdout=subprocess.PIPE, stderr=log
            )
        with self._process.stdout as output:
            if output.readline() != b"ready\n":
                raise RuntimeError((self.folder / "hub.log").read_text())
