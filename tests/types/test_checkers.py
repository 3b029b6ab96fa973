"""What mypy and pyright say of an application that uses the package, and of one that uses it wrongly."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from tests.cluster.command import ROOT

HERE = ROOT / "tests" / "types"
NAMES = ("good.py", "bad.py")
CONFIG = """
[mypy]
strict = true
[mypy-socketio.*]
ignore_missing_imports = true
"""


@pytest.fixture
def folder(tmp_path):
    """A folder of the application's own, where nothing of this project is but what is installed."""
    for name in NAMES:
        (tmp_path / name).write_text((HERE / name).read_text())
    return tmp_path


def wrong():
    """The lines of the applications that are wrong."""
    return {
        (name, number)
        for name in NAMES
        for number, line in enumerate((HERE / name).read_text().splitlines(), 1)
        if line.endswith("# wrong")
    }


def test_mypy(folder):
    """With --strict, mypy finds each mistake and nothing else."""
    (folder / "mypy.ini").write_text(CONFIG)
    command = [sys.executable, "-m", "mypy", "--cache-dir", folder / "cache", *NAMES]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100)
    found = re.findall(r"^(\w+\.py):(\d+): error", done.stdout, re.MULTILINE)
    assert {(name, int(line)) for name, line in found} == wrong(), done.stdout + done.stderr


def test_pyright(folder):
    """So does pyright."""
    pyright = ROOT / "tests" / "js" / "node_modules" / "pyright" / "index.js"
    command = ["node", pyright, "--outputjson", "--pythonpath", sys.executable, *NAMES]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100)
    found = json.loads(done.stdout)["generalDiagnostics"]
    lines = {(one["file"].rpartition("/")[2], one["range"]["start"]["line"] + 1) for one in found}
    assert lines == wrong(), "\n".join(
        f"{one['range']['start']['line'] + 1}: {one['message']}" for one in found
    )
