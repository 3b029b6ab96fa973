"""Which ports the servers of tests get."""

from __future__ import annotations

import subprocess
import sys

from tests.services.process import SHARE, free_port

PRINT = "from tests.services.process import *; print(*(free_port() for _ in range(SHARE)))"


def test_of_its_own():
    """Two test runs at the same time, or two processes of one, never choose the same port."""
    first = subprocess.Popen([sys.executable, "-c", PRINT], stdout=subprocess.PIPE, text=True)
    mine = {free_port() for _ in range(SHARE)}
    others = {int(port) for port in first.communicate()[0].split()}
    assert len(others) > SHARE / 2
    assert not mine & others
