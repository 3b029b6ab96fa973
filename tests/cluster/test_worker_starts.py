"""A worker that the system does not start for a while."""

from __future__ import annotations

import os
import signal
import sys

from tests.cluster.command import Command
from tests.cluster.test_supervisor import SERVE, fetch, pids


def test_worker_that_cannot_be_started_is_tried_again(tmp_path, monkeypatch):
    """While no new process can be made, as when Python is being replaced, the other worker serves on."""
    python = tmp_path / "python"
    python.symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", str(python))
    with Command(*SERVE, env={"PYTHONPATH": os.pathsep.join(sys.path)}) as command:
        nodes = command.nodes(2)
        before = pids(nodes)
        python.rename(tmp_path / "away")
        os.kill(before["node-1"], signal.SIGKILL)
        command.wait_for("node-1 cannot be started: .*No such file", times=2)
        assert fetch(nodes["node-2"][1]).split()[1] == str(before["node-2"])
        (tmp_path / "away").rename(python)
        command.wait_for(r"node-1 \(.* serves", times=2)
