"""Ends the servers of a test run that was killed: a process that sees the end of the run."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from functools import cache


def launch(command: list[str], **options) -> subprocess.Popen:
    """Start a process that is killed when this one has ended without stopping it."""
    process = subprocess.Popen(command, **options)
    guard = _guard(os.getpid())
    guard.stdin.write(f"{process.pid}\n".encode())
    guard.stdin.flush()
    return process


@cache
def _guard(_owner: int) -> subprocess.Popen:
    # In a session of its own, as what is sent to all processes of a terminal must not end it first.
    return subprocess.Popen([sys.executable, "-S", __file__], stdin=subprocess.PIPE, start_new_session=True)


def _began(pid: int) -> bytes:
    """When a process has started, so that it is not taken for another one with its number."""
    with contextlib.suppress(FileNotFoundError):  # Where there is no ps, nothing is killed.
        return subprocess.run(
            ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, check=False
        ).stdout
    return b""


def main() -> None:
    """Read the numbers of processes until nobody can write any more, then kill those that are left."""
    began = {pid: _began(pid) for pid in map(int, sys.stdin.buffer)}
    for pid, when in began.items():
        if when and _began(pid) == when:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
