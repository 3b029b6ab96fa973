"""The running nodes of one contender, and the Redis between them."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from socketio_cluster.loadtest.compare.contenders import Contender, need
from socketio_cluster.loadtest.compare.errors import Trouble

START_SECONDS = 30
QUESTION = b"GET /socket.io/?EIO=4&transport=none HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
"""Every Socket.IO server answers this at once, with an error."""


class Nodes:
    """So many nodes of a contender on one bus; as a context manager they end with it."""

    def __init__(self, contender: Contender, count: int, bus: str, folder: Path) -> None:
        self.ports = [free_port() for _ in range(count)]
        self._contender = contender
        self._bus = bus
        self._log = folder / f"{contender.name}.log"
        self.processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Nodes:
        try:
            for port in self.ports:
                self.processes.append(self._start(port))
            for port in self.ports:
                self._wait_for(port)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        stop(self.processes)

    @property
    def urls(self) -> list[str]:
        """Where the nodes listen."""
        return [f"http://127.0.0.1:{port}" for port in self.ports]

    def used(self) -> tuple[float, int]:
        """CPU seconds since the start and bytes of memory, of all nodes and their processes together."""
        cpu, memory = 0.0, 0
        for process in self._family():
            with suppress(psutil.Error):
                times = process.cpu_times()
                cpu += times.user + times.system
                memory += process.memory_info().rss
        return cpu, memory

    def words(self) -> str:
        """What the nodes have printed last."""
        return self._log.read_text(errors="replace")[-1500:].strip()

    def _family(self) -> Iterator[psutil.Process]:
        for process in self.processes:
            with suppress(psutil.Error):
                parent = psutil.Process(process.pid)
                yield parent
                yield from parent.children(recursive=True)

    def _start(self, port: int) -> subprocess.Popen[bytes]:
        clean = {key: value for key, value in os.environ.items() if not key.startswith("CLUSTER_")}
        name = f"{self._contender.name}-{self.ports.index(port) + 1}"
        with self._log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - our own command
                self._contender.command(port, self._bus),
                env={**clean, "TARGET_BUS": self._bus, "LOADTEST_NODE": name},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _wait_for(self, port: int) -> None:
        """Return when a node answers. An open port is not enough, because a supervisor may hold it."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and all(process.poll() is None for process in self.processes):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2) as sock:
                sock.sendall(QUESTION)
                if sock.recv(1):
                    return
            time.sleep(0.05)
        raise Trouble(f"{self._contender.title} did not answer on port {port}. It said:\n{self.words()}")


@contextmanager
def redis() -> Iterator[str]:
    """A Redis of our own on a free port that keeps nothing; gives its URL."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="loadtest-redis-") as folder:
        options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        process = subprocess.Popen(  # noqa: S603 - our own command
            [need("redis-server"), *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _wait_for_redis(port)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            stop([process])


def _wait_for_redis(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as sock:
            sock.sendall(b"PING\r\n")
            if sock.recv(7) == b"+PONG\r\n":
                return
        time.sleep(0.02)
    raise Trouble("redis-server did not answer: give the URL of a running one with --bus")


def free_port() -> int:
    """A TCP port on loopback that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def stop(processes: list[subprocess.Popen[bytes]]) -> None:
    """End processes together, kindly first; returns when they have ended."""
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
