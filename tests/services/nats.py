"""NATS for the tests: one server, and a cluster of three."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.services.guard import launch
from tests.services.process import free_port, program, wait_for_port
from tests.services.service import Service

TOOLS = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "socketio-cluster/bin"
"""Where ``scripts/setup-tests`` builds nats-server."""


def nats_server() -> str:
    return shutil.which("nats-server", path=TOOLS) or program("nats-server", package="nats-server")


class NatsServer(Service):
    """One nats-server on loopback. ``config`` are lines of its configuration file."""

    def __init__(self, folder: Path, config: str = "max_payload: 8MB\n", *, port: int | None = None):
        self.folder = folder
        self.port = port or free_port()
        self.url = f"nats://127.0.0.1:{self.port}"
        self.log = folder / "nats.log"
        self._config = config

    def start(self):
        """Start, or start again on the same port."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.configure(self._config)
        with self.log.open("ab") as output:
            self._process = launch(
                [nats_server(), "--config", str(self.folder / "nats.conf")], stdout=output, stderr=output
            )
        wait_for_port(self.port, self._process, self.log)

    def pause(self):
        """Make it a black hole: connections stay, nothing answers."""
        super().pause()
        os.waitpid(self._process.pid, os.WUNTRACED)  # Some of its threads may still run for a moment.

    def retire(self):
        """Tell it to close its connections one by one and then to end ("lame duck mode")."""
        self._process.send_signal(signal.SIGUSR2)

    def configure(self, config: str):
        """Write the configuration file."""
        listen = f'listen: "127.0.0.1:{self.port}"\nserver_name: "n{self.port}"\n'
        (self.folder / "nats.conf").write_text(listen + config)

    def info(self) -> dict:
        """What it says of itself to a new client."""
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=5) as sock,
            sock.makefile("rb") as lines,
        ):
            return json.loads(lines.readline().removeprefix(b"INFO "))

    def until(self, servers: int, *, seconds: float = 20):
        """Return when it has routes to all the others of a cluster of so many servers."""
        deadline = time.monotonic() + seconds
        while len(urls := self.info().get("connect_urls", [])) != servers:
            if time.monotonic() > deadline:
                raise RuntimeError(f"NATS at {self.port} knows only {urls}:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.05)


class NatsCluster:
    """Three servers with routes between all of them.

    ``routes`` are the ports at which they listen for each other, and ``doors`` those at which they are found.
    """

    def __init__(self, folder: Path, routes: Sequence[int] = (), doors: Sequence[int] = ()):
        self._routes = routes or [free_port() for _ in range(3)]
        self._doors = doors or self._routes
        self.nodes = [NatsServer(folder / str(i), self._cluster(i)) for i in range(3)]
        self.url = "nats://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    def __enter__(self):
        with ExitStack() as stack:
            for node in self.nodes:
                stack.enter_context(node)
            for node in self.nodes:
                node.until(servers=3)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def _cluster(self, at: int) -> str:
        seeds = ", ".join(f'"nats://127.0.0.1:{port}"' for port in self._doors)
        here = f'listen: "127.0.0.1:{self._routes[at]}", advertise: "127.0.0.1:{self._doors[at]}"'
        limits = "max_payload: 8MB\nlame_duck_grace_period: 100ms\n"
        return f"{limits}cluster {{ name: test, {here}, routes: [{seeds}] }}\n"
