"""A server of a test as a process of its own."""

from __future__ import annotations

import subprocess
import sys

from tests.cluster.command import ROOT, clean_environment
from tests.services.process import free_port, wait_for_port


class Server:
    """A server, whose command gets the port.

    Args:
        name: of the log file.
        command: makes the arguments of ``python -m`` from a port.
        env: settings beside this process's own environment.
        folder: where the log goes.
    """

    def __init__(self, name, command, env, folder):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / f"{name}-{port}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command(str(port))],
                cwd=ROOT,
                env=clean_environment() | env,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.wait = lambda: wait_for_port(port, self.process, self.log)
