"""The servers of these tests: three nodes behind a balancer, and one that does everything wrong."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

import psutil
import pytest

from tests.balancers.proxies import PROXIES
from tests.cluster.command import Command
from tests.forward.nodes import wait_until_known
from tests.loadtest.command import ROOT
from tests.services.process import free_port, stop, wait_for_port
from tests.services.redis import RedisServer


@dataclass
class Cluster:
    """Three nodes, the URL of their balancer, and the bus between them."""

    url: str
    bus: RedisServer
    command: Command

    @property
    def pids(self) -> list[int]:
        """The processes of the workers."""
        return [child.pid for child in psutil.Process(self.command.process.pid).children()]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Three workers on a Redis of their own, behind HAProxy: each TCP connection goes to the next one."""
    folder = tmp_path_factory.mktemp("cluster")
    arguments = ["socketio_cluster.loadtest.targets.ours:app", "--port=0", "--direct-port=0", "--workers=3"]
    drain = {"CLUSTER_DRAIN_WINDOW": "0"}
    with (
        RedisServer(folder / "redis") as bus,
        Command("serve", *arguments, f"--bus={bus.url}", env=drain) as command,
    ):
        urls = [pair[1] for _, pair in sorted(command.nodes(3).items())]
        wait_until_known(command, 3)
        with PROXIES[-1].running(urls, folder) as url:
            yield Cluster(url, bus, command)


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """The URL of a server that drops, repeats, reorders or leaks, by namespace."""
    port, log = free_port(), tmp_path_factory.mktemp("broken") / "log"
    command = [sys.executable, "-m", "uvicorn", "tests.loadtest.broken:app", "--port", str(port)]
    command += ["--timeout-graceful-shutdown", "1"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
    try:
        wait_for_port(port, process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(process)
