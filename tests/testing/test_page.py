"""The files of docs/testing.md do what the page says, in each way to run them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.cluster.command import ROOT, clean_environment
from tests.flask.page import files

INI = """[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
filterwarnings = error
"""
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
ANYIO = """
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"
"""

WATCH = """
import sys
import shop, socketio_cluster.testing  # what they import may do as it likes

seen = []

def hook(event, args):
    if event in ("socket.bind", "socket.connect") or (event == "open" and args[1] and "r" not in args[1]):
        seen.append((event, args))

sys.addaudithook(hook)
"""


@pytest.fixture
def folder(tmp_path):
    found = files("testing.md")
    assert sorted(found) == ["check.py", "shop.py", "test_shop.py"]
    for name, text in found.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def run(folder, *arguments, **env):
    """Run Python in a folder; gives what it printed."""
    env = clean_environment() | {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"} | env
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=env, timeout=100, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_with_pytest_asyncio(folder):
    """The page's tests pass with pytest-asyncio, with every warning as an error."""
    (folder / "pytest.ini").write_text(INI)
    plugins = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    assert "5 passed" in run(folder, *PYTEST, "-p", "pytest_asyncio.plugin", **plugins)


def test_with_anyio(folder):
    """The page's tests pass with anyio's plugin, with every warning as an error."""
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    (folder / "test_shop.py").write_text((folder / "test_shop.py").read_text() + ANYIO)
    plugins = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    assert "5 passed" in run(folder, *PYTEST, "-p", "anyio.pytest_plugin", **plugins)


def test_without_pytest(folder):
    """The page's program prints what it says, and binds no socket, connects none and writes no file."""
    program = folder / "watched.py"
    program.write_text(WATCH + (folder / "check.py").read_text() + "\nprint(seen)\n")
    assert run(folder, "-X", "dev", "-B", "watched.py") == "sent\n[]\n"
