"""The client of the load test against a python-socketio server."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.loadtest.command import ROOT


@pytest.fixture(scope="module")
def report(broken):
    """What the client did on both transports, in a process where gevent has patched everything."""
    command = [sys.executable, "-m", "tests.loadtest.probe", broken]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_client_speaks_socketio(report, transport):
    """Payloads of every kind, two namespaces, acks both ways, timeouts and a disconnect by the server."""
    assert report[transport] == {
        "changed": [],
        "in order": True,
        "sids": 2,
        "answer": "who",
        "timeout": "no ack for 'nobody answers this' within 0.2 s",
        "ended": "disconnected",
        "told": True,
        "connected": False,
    }
