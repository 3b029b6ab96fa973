"""Three machines: a Redis on the first, a supervisor with a node on each, and clocks an hour apart."""

from __future__ import annotations

import contextlib
import secrets
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.cluster.command import Command
from tests.forward.nodes import wait_until_known
from tests.machines.network import Impossible, Network
from tests.services.process import program, stop, wait_for_port

HOUR = 3600
CLOCKS = (0, HOUR, 0)


class Served:
    """A machine and its node."""

    def __init__(self, machine, command):
        self.machine = machine
        self.command = command
        self.url = f"http://{machine.address}:8000"


@contextlib.contextmanager
def redis_on(machine, folder):
    command = [program("redis-server", package="redis-server"), "--save", "", "--protected-mode", "no"]
    with (folder / "redis.log").open("ab") as log:
        process = subprocess.Popen([*machine.inside, *command], cwd=folder, stdout=log, stderr=log)
    try:
        wait_for_port(6379, process, folder / "redis.log", host=machine.address)
        yield f"redis://{machine.address}:6379/0"
    finally:
        stop(process)


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """The three, which know each other."""
    folder = tmp_path_factory.mktemp("machines")
    secret = folder / "secret"
    secret.write_text(secrets.token_hex(32))
    with contextlib.ExitStack() as stack:
        try:
            network = stack.enter_context(Network(3))
        except Impossible as why:
            pytest.skip(str(why))
        bus = stack.enter_context(redis_on(network.machines[0], folder))
        # A socket's path has 107 bytes at most.
        short = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="m")))
        served = []
        for machine, clock in zip(network.machines, CLOCKS, strict=True):
            (temporary := short / machine.name[-2:]).mkdir()
            where = ("--host=0.0.0.0", "--port=8000", "--internal-host=0.0.0.0", "--internal-port=9000")
            command = Command(
                *(
                    "serve",
                    "tests.machines.app:app",
                    "--workers=1",
                    f"--bus={bus}",
                    f"--secret-file={secret}",
                ),
                *(*where, f"--advertise={machine.address}"),
                env={"TMPDIR": str(temporary), "TEST_CLOCK": str(clock)},
                inside=machine.inside,
            )
            served.append(Served(machine, stack.enter_context(command)))
        for each in served:
            each.command.nodes(1)
        for each in served:
            wait_until_known(each.command, 3)
        for path in short.glob("*/cluster-*/1.sock"):
            path.unlink()  # The machines have one file system, and a socket in it would be nearer.
        yield served
        for each in served:
            each.machine.resume()
            each.command.process.terminate()  # Together; otherwise each would wait for the one before.
