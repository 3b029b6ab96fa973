"""The table of a worker's open files."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from socketio_cluster.cluster.sockets.descriptors import ROOM, make_room
from tests.cluster.command import Command
from tests.cluster.test_reload import workers_of


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells the size of the table")
def test_a_worker_has_room_for_many_connections_before_they_come():
    """The kernel need not make the table larger, for which it would stop the worker."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    with Command("serve", "tests.http.app:app", "--port=0", "--workers=1") as command:
        command.nodes(1)
        (worker,) = workers_of(command.process.pid)
        status = Path(f"/proc/{worker}/status").read_text()
    (size,) = (int(line.split()[1]) for line in status.splitlines() if line.startswith("FDSize:"))
    assert size >= min(ROOM, soft)


def test_a_small_limit_of_open_files_does_no_harm():
    """There is room for as many files as may be open, and each of them is free."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    try:
        make_room()
        make_room()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(511)
