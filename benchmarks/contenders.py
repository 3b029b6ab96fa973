"""The servers that are compared: how each is made ready, started, and what its version is."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from urllib.parse import urlsplit

from benchmarks.build import HERE, build_rust, compile_c, install_node, need
from benchmarks.errors import Missing
from socketio_cluster.manager.native import library


@dataclass(frozen=True)
class Contender:
    """A Socket.IO server whose nodes are joined by a bus.

    Args:
        name: what the command line calls it.
        title: what the table calls it.
        prepare: builds or installs what it needs for a kind of bus ("redis", "amqp"); raises Missing.
        command: gives the command of a node that listens on 127.0.0.1 at a port and uses the bus at a URL.
        version: says what exactly was measured.
    """

    name: str
    title: str
    prepare: Callable[[str], object]
    command: Callable[[int, str], list[str]]
    version: Callable[[], str]


RECOVERY_SECONDS = "120"


def _serve_ours(port: int, url: str) -> list[str]:
    # The CPU and the memory of the supervisor count too.
    serve = ["-m", "socketio_cluster", "serve", "benchmarks.servers.ours:app", "--workers", "1"]
    return [sys.executable, *serve, "--port", str(port), "--bus", url, "--log-level", "warning"]


def _serve_recovery(port: int, url: str) -> list[str]:
    return [*_serve_ours(port, url), "--recovery-seconds", RECOVERY_SECONDS]


def _ours_version() -> str:
    versions = f"python-socketio {version('python-socketio')}, Python {sys.version.split()[0]}"
    return f"{versions}, events {library.kind()}"


def _prepare_stock(bus: str) -> None:
    if bus == "amqp" and importlib.util.find_spec("aio_pika") is None:
        raise Missing("no aio-pika")


def _serve_stock(port: int, url: str) -> list[str]:
    serve = ["-m", "uvicorn", "benchmarks.servers.stock:app", "--no-access-log", "--log-level", "warning"]
    return [sys.executable, *serve, "--port", str(port)]


def _stock_version() -> str:
    parts = [f"{name} {version(name)}" for name in ("python-socketio", "uvicorn", "uvloop", "redis")]
    if importlib.util.find_spec("aio_pika"):
        parts.append(f"aio-pika {version('aio-pika')}")
    return ", ".join(parts)


def _prepare_node(bus: str) -> None:
    need("node")
    install_node()


def _serve_node(port: int, url: str) -> list[str]:
    return [need("node"), str(install_node()), str(port), url]


def _node_version(adapter: str) -> str:
    packages = _locked("socket.io", adapter, "redis")
    return f"{packages}, Node.js {_said_by(need('node'), '--version')}"


def _serve_bun(port: int, url: str) -> list[str]:
    folder = install_node().parent
    return [str(folder / "node_modules/.bin/bun"), str(folder / "bun.js"), str(port), url]


def _locked(*names: str) -> str:
    lock = json.loads((HERE / "servers/node/package-lock.json").read_text())["packages"]
    return ", ".join(f"{name} {lock[f'node_modules/{name}']['version']}" for name in names)


def _rust_version() -> str:
    lines = (HERE / "servers/rust/Cargo.lock").read_text().splitlines()
    names = ("socketioxide", "socketioxide-redis", "axum")
    numbers = {name: lines[lines.index(f'name = "{name}"') + 1].split('"')[1] for name in names}
    return ", ".join(f"{name} {number}" for name, number in numbers.items()) + ", release build"


def _serve_reference(port: int, url: str) -> list[str]:
    program = compile_c("servers/c", "server")
    return [str(program), str(port), str(urlsplit(url).port)]


def _said_by(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]


_ALL = (
    Contender(
        "ours",
        "this cluster",
        prepare=lambda bus: None,
        command=_serve_ours,
        version=_ours_version,
    ),
    Contender(
        "recovery",
        "this cluster, with recovery",
        prepare=lambda bus: None,
        command=_serve_recovery,
        version=_ours_version,
    ),
    Contender("stock", "python-socketio", _prepare_stock, _serve_stock, _stock_version),
    Contender(
        "node",
        "Node.js",
        _prepare_node,
        _serve_node,
        version=lambda: _node_version("@socket.io/redis-adapter"),
    ),
    Contender(
        "bun",
        "Bun",
        _prepare_node,
        _serve_bun,
        version=lambda: _locked("socket.io", "@socket.io/bun-engine", "@socket.io/redis-adapter", "bun"),
    ),
    Contender(
        "node-recovery",
        "Node.js, with recovery",
        _prepare_node,
        command=lambda port, url: [*_serve_node(port, url), "recovery"],
        version=lambda: _node_version("@socket.io/redis-streams-adapter"),
    ),
    Contender(
        "rust",
        "Rust socketioxide",
        prepare=lambda bus: build_rust(),
        command=lambda port, url: [str(build_rust()), str(port), url],
        version=_rust_version,
    ),
    Contender(
        "c",
        "one write() each, in C",
        prepare=lambda bus: compile_c("servers/c", "server"),
        command=_serve_reference,
        version=lambda: f"{_said_by(need('cc'), '--version')}, -O2",
    ),
)
CONTENDERS = {contender.name: contender for contender in _ALL}
