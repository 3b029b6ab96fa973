"""The servers that are compared: how each is made ready and started."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from socketio_cluster.loadtest.compare.errors import Trouble

NODE_FOLDER = Path(__file__).resolve().parent.parent / "targets" / "node"


@dataclass(frozen=True)
class Contender:
    """A server of ``loadtest/targets``.

    Args:
        name: what the command line calls it.
        title: what the table calls it.
        buses: the schemes of the buses it can use.
        prepare: checks or installs what it needs for a bus; raises Trouble.
        command: gives the command of one node that listens on 127.0.0.1 at a port, with a bus.
    """

    name: str
    title: str
    buses: tuple[str, ...]
    prepare: Callable[[str], None]
    command: Callable[[int, str], list[str]]


def _serve_ours(port: int, bus: str) -> list[str]:
    serve = [
        "-m",
        "socketio_cluster",
        "serve",
        "socketio_cluster.loadtest.targets.ours:app",
        "--workers",
        "1",
    ]
    return [sys.executable, *serve, "--port", str(port), "--bus", bus, "--log-level", "warning"]


def _serve_stock(port: int, bus: str) -> list[str]:
    serve = [
        "-m",
        "uvicorn",
        "socketio_cluster.loadtest.targets.stock:app",
        "--no-access-log",
        "--log-level",
        "warning",
    ]
    return [sys.executable, *serve, "--port", str(port)]


def _serve_node(port: int, bus: str) -> list[str]:
    return [need("node"), str(NODE_FOLDER / "server.js"), str(port), bus]


def _prepare_ours(bus: str) -> None:
    _need_module("socketio_cluster", "install socketio-cluster")


def _prepare_stock(bus: str) -> None:
    _need_module("uvicorn", "pip install 'uvicorn[standard]'")
    if bus.startswith("amqp"):
        _need_module("aio_pika", "pip install aio-pika")


def _prepare_node(bus: str) -> None:
    need("node")
    if (NODE_FOLDER / "node_modules" / ".package-lock.json").exists():  # npm writes it when it has finished
        return
    command = [need("npm"), "ci", "--silent", "--prefix", str(NODE_FOLDER)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise Trouble(f"`{' '.join(command)}` failed: {done.stderr.strip()[-500:]}")


def need(program: str) -> str:
    """Give the path of a program; Trouble when it is not installed."""
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin:/opt/homebrew/bin")
    if path is None:
        raise Trouble(f"{program} is not installed")
    return path


def _need_module(name: str, remedy: str) -> None:
    if importlib.util.find_spec(name) is None:
        raise Trouble(f"the package {name} is not installed: {remedy}")


_ALL = (
    Contender("ours", "this cluster", ("redis", "rediss", "amqp", "amqps"), _prepare_ours, _serve_ours),
    Contender("stock", "python-socketio", ("redis", "rediss", "amqp", "amqps"), _prepare_stock, _serve_stock),
    Contender("node", "Node.js", ("redis", "rediss"), _prepare_node, _serve_node),
)
CONTENDERS = {contender.name: contender for contender in _ALL}
