"""The running nodes of one contender."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path

from benchmarks.build import HERE
from benchmarks.contenders import Contender
from benchmarks.errors import Failed
from tests.services.process import free_port, stop

START_SECONDS = 30
QUESTION = b"GET /socket.io/?EIO=4&transport=none HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
"""Every Socket.IO server answers this at once, with an error."""


class Nodes:
    """So many nodes of a contender on one bus; as a context manager they end with it."""

    def __init__(self, contender: Contender, count: int, url: str, folder: Path) -> None:
        self.ports = [free_port() for _ in range(count)]
        self._log = folder / "nodes.log"
        self._processes: list[subprocess.Popen[bytes]] = []
        self._contender = contender
        self._url = url

    def __enter__(self) -> Nodes:
        try:
            with self._log.open("wb") as log:
                self._processes.extend(self._start(port, log.fileno()) for port in self.ports)
            for port in self.ports:
                self._wait_for(port)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            stop(process, seconds=5)

    def pids(self, first: int = 0, last: int | None = None) -> list[int]:
        """Every process of these nodes: those that were started and all below them."""
        found = [process.pid for process in self._processes[first:last]]
        for pid in found:
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                found.extend(map(int, children.read_text().split()))
        return found

    def words(self) -> str:
        """What the nodes have printed last."""
        return self._log.read_text(errors="replace")[-1500:]

    def _start(self, port: int, log: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._contender.command(port, self._url),
            env=self._environment(),
            cwd=HERE.parent,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )

    def _environment(self) -> dict[str, str]:
        clean = {key: value for key, value in os.environ.items() if not key.startswith("CLUSTER_")}
        return {**clean, "BENCHMARK_BUS": self._url}

    def _wait_for(self, port: int) -> None:
        """Return when a node answers; that its port accepts is not enough, a supervisor may hold it."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=2) as sock:
                    sock.sendall(QUESTION)
                    if sock.recv(1):
                        return
            except OSError:
                time.sleep(0.05)
        raise Failed(f"{self._contender.title} did not answer on port {port}:\n{self.words()}")
