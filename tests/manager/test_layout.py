"""The layering holds: what may import what, and how long a file may be."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MANAGER = sorted((ROOT / "manager").rglob("*.py"))
CLUSTER = sorted((ROOT / "cluster").rglob("*.py"))
LOADTEST = sorted((ROOT / "loadtest").rglob("*.py"))
OURS = ROOT / "loadtest" / "targets" / "ours.py"
HTTP = {"uvicorn", "starlette", "aiohttp", "fastapi", "websockets", "httptools", "http"}
PURE = [
    "ids",
    "channels",
    "envelope",
    "secret",
    "messages",
    "packets",
    "backlog",
    "interest",
    "roster",
    "pending",
    "acks",
    "backoff",
    "rooms",
    "replay",
]


def imports(path):
    """The top names of all modules that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module.partition(".")[0])
    return names


def name(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MANAGER, ids=name)
def test_manager_stands_alone(path):
    """The manager imports nothing of the packages above it and nothing of HTTP."""
    assert not imports(path) & {"cluster", "loadtest", "tests", *HTTP}


@pytest.mark.parametrize("path", LOADTEST, ids=name)
def test_loadtest_stands_alone(path):
    """The load test imports nothing of the cluster; only the server that it brings imports the manager."""
    assert imports(path) & {"cluster", "manager", "tests"} == ({"manager"} if path == OURS else set())


@pytest.mark.parametrize("module", PURE)
def test_pure_modules(module):
    """What is pure book-keeping knows no event loop, no thread, no socket and no clock."""
    found = imports(ROOT / "manager" / f"{module}.py")
    assert not found & {"asyncio", "threading", "socket", "time", "os"}


@pytest.mark.parametrize("path", MANAGER + CLUSTER + LOADTEST, ids=name)
def test_short_files(path):
    """No file is longer than 300 lines."""
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= 300


@pytest.mark.parametrize(
    "path", [path for path in (*MANAGER, *CLUSTER, *LOADTEST) if path.stat().st_size], ids=name
)
def test_says_what_it_is(path):
    """Every module begins with a docstring."""
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
