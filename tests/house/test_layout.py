"""The layering holds: what may import what, and how long a file may be."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MANAGER = sorted((ROOT / "manager").rglob("*.py"))
CLUSTER = sorted((ROOT / "cluster").rglob("*.py"))
LOADTEST = sorted((ROOT / "loadtest").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
OURS = ROOT / "loadtest" / "targets" / "ours.py"
HTTP = {"uvicorn", "starlette", "aiohttp", "fastapi", "websockets", "httptools", "http"}
PURE = [
    "ids",
    "bus/channels",
    "bus/envelope",
    "bus/messages",
    "bus/places",
    "bus/absent",
    "bus/sharded_channels",
    "bus/backlog",
    "bus/interest",
    "bus/roster",
    "bus/requests",
    "bus/backoff",
    "bus/answers",
    "bus/channel_set",
    "bus/outgoing",
    "bus/questions",
    "bus/membership",
    "bus/sender",
    "bus/streams",
    "clients/packets",
    "clients/acks",
    "clients/client_acks",
    "clients/client",
    "clients/rooms",
    "presence/ring",
    "presence/book",
    "presence/own",
    "presence/shown",
    "presence/calls",
    "presence/copies",
    "presence/held_room",
    "presence/meta",
    "bus/stamp",
    "bus/store",
    "recovery/client_session",
    "recovery/history",
    "recovery/knowing",
    "recovery/memory",
    "recovery/offset",
    "recovery/order",
    "recovery/pid",
    "recovery/routes",
    "recovery/sessions",
    "recovery/times",
    "bridge/commands",
    "bridge/dialect",
    "bridge/outbox",
    "bridge/turns",
    "bridge/nodejs/classic",
    "bridge/nodejs/moves",
    "bridge/nodejs/payloads",
    "bridge/nodejs/sharded",
    "bridge/nodejs/signs",
    "bridge/nodejs/words",
    "bus/query_messages",
    "queries/conditions",
    "queries/pieces",
    "queries/polls",
    "queries/socket_info",
]


def imports(path):
    """The top names of all modules that a file imports, wherever in it; of ours the part below the top."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {part(alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(part(node.module))
    return names


def part(module):
    """`manager` for `socketio_cluster.manager.ids`, the top name for a module of others."""
    top, *rest = module.split(".")
    return rest[0] if top == "socketio_cluster" and rest else top


def name(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", [*MANAGER, *CLUSTER, *LOADTEST, *TESTS], ids=name)
def test_one_import_name(path):
    """Nothing is imported by the name of a folder: it would be a second copy of what is under ours."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        found = [node.module] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
        found = [alias.name for alias in node.names] if isinstance(node, ast.Import) else found
        assert not {module.partition(".")[0] for module in found} & {"manager", "cluster", "loadtest"}


@pytest.mark.parametrize("path", MANAGER, ids=name)
def test_manager_stands_alone(path):
    """The manager imports nothing of the packages above it and nothing of HTTP."""
    assert not imports(path) & {"cluster", "loadtest", "tests", *HTTP}


@pytest.mark.parametrize("path", LOADTEST, ids=name)
def test_loadtest_stands_alone(path):
    """The load test imports nothing of the cluster; only the server that it brings imports the manager."""
    assert imports(path) & {"cluster", "manager", "socketio_cluster", "tests"} == (
        {"socketio_cluster"} if path == OURS else set()
    )


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
