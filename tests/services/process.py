"""Start a server, wait until its port answers, stop it: what all the services share."""

from __future__ import annotations

import contextlib
import functools
import itertools
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PORTS: Final = range(12_000, 22_000)
"""Systems give higher ones to outgoing connections; Redis Cluster also takes each of its ports + 10000."""
SHARE: Final = 250
"""Ports for each process: those of pytest-xdist run at the same time, and so may other runs of the tests."""


_holder: Final = socket.socket()
"""Bound to the first port of this process's share: until it ends, no other process takes that share."""


@functools.cache
def _own_ports() -> Iterator[int]:
    for first in range(PORTS.start, PORTS.stop, SHARE):
        with contextlib.suppress(OSError):
            _holder.bind(("127.0.0.1", first))
            return itertools.cycle(range(first + 1, first + SHARE))
    raise RuntimeError("other processes have all the ports for tests")


def free_port() -> int:
    """A TCP port on loopback that nobody listens on, and that is not given out again for a long time."""
    while True:
        port = next(_own_ports())
        with contextlib.suppress(OSError), socket.socket() as sock:
            sock.bind(("127.0.0.1", port))
            return port


def program(name: str, *, package: str) -> str:
    """The path of a program, or an error that says what to install."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")
    if path is None:
        raise RuntimeError(f"{name} is not installed: install the package {package!r} and try again")
    return path


def wait_for_port(
    port: int, process: subprocess.Popen, log: Path, *, seconds: float = 30, host: str = "127.0.0.1"
) -> None:
    """Return when the port accepts; raise with the server's own words when it ends or takes too long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            socket.create_connection((host, port), timeout=0.2).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    words = log.read_text(errors="replace")[-2000:] if log.exists() else ""
    raise RuntimeError(f"{process.args} did not open port {port}:\n{words}")


def stop(process: subprocess.Popen, *, seconds: float = 10) -> None:
    """End a process, kindly first."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
