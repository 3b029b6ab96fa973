"""What systemd is told, by a supervisor with real workers."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
import socket
import subprocess
import urllib.request
from pathlib import Path

import pytest

from socketio_cluster.cluster.cli.parser import read_options
from tests.cluster.command import ROOT, Command

UNIT = ROOT / "examples" / "systemd" / "chat.service"
SERVE = ("serve", "tests.cluster.app:app", "--port=0", "--workers=2")


@pytest.fixture
def systemd(tmp_path):
    """The socket that systemd would listen on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(30)
        yield sock


def told(sock):
    """The next thing that systemd is told, but for the watchdog's."""
    while (text := sock.recv(4096).decode()) == "WATCHDOG=1":
        pass
    return text


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told_what_happens(abstract, systemd, tmp_path):
    """It hears when all workers serve, when they are replaced and serve again, and when the stop begins."""
    path = str(tmp_path / "notify")
    if abstract:
        path = f"@{tmp_path}"
        systemd.close()
        systemd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        systemd.bind(f"\0{tmp_path}")
        systemd.settimeout(30)
    with systemd, Command(*SERVE, "--drain-window=0", env={"NOTIFY_SOCKET": path}) as command:
        url = command.nodes(2)["node-1"][0]
        serving = f"READY=1\nSTATUS=2 workers at {url}"
        assert told(systemd) == serving
        with urllib.request.urlopen(f"{url}/settings", timeout=10) as response:
            assert not [text for text in json.load(response)["seen"] if path in text]
        command.process.send_signal(signal.SIGHUP)
        assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", told(systemd))
        assert told(systemd) == serving
        command.process.terminate()
        assert told(systemd) == "STOPPING=1"


def test_watchdog_hears_of_a_loop_that_runs(systemd, tmp_path):
    """The supervisor says twice in WATCHDOG_USEC that it runs."""
    env = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"}
    with Command(*SERVE, env=env):
        assert [systemd.recv(4096) for _ in range(5)].count(b"WATCHDOG=1") >= 4


def test_watchdog_of_another_process_is_left_alone(systemd, tmp_path):
    """With the process id of somebody else in WATCHDOG_PID the watchdog is not spoken to."""
    env = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000", "WATCHDOG_PID": "1"}
    with Command(*SERVE, env=env):
        assert systemd.recv(4096).startswith(b"READY=1")


def test_unit_runs_the_command():
    """The example's command line is one that `serve` takes, and its stop waits for longer than a drain."""
    unit = dict(re.findall(r"^(\w+)=(.*)$", UNIT.read_text(), re.MULTILINE))
    program, *arguments = shlex.split(unit["ExecStart"])
    assert program.endswith("/socketio-cluster")
    options = read_options(arguments)
    assert float(unit["TimeoutStopSec"]) > options.drain_delay + options.drain_window + options.grace + 5


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_systemd_understands_the_unit(tmp_path):
    """Systemd finds no fault with the example but that its program is not there."""
    copy = Path(shutil.copy(UNIT, tmp_path))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", copy], capture_output=True, text=True
    )
    faults = [line for line in done.stderr.splitlines() if str(copy) in line or "chat.service" in line]
    assert not [line for line in faults if "is not executable" not in line], done.stderr
