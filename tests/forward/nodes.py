"""Nodes as real processes: three workers of one supervisor, or three supervisors that meet over TCP."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import shutil
import tempfile
import urllib.request
from pathlib import Path

from tests.cluster.command import Command, wait_until
from tests.services.process import free_port

APP = "tests.forward.app:app"
SERVE = ("serve", APP, "--port=0", "--direct-port=0")


class Worker:
    """One node, by the address where only it listens."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.node, self.id, pid, *_ = self.ask()
        self.pid = int(pid)

    def ask(self, sid: str = "") -> list[str]:
        """Its name, id, process and number of sessions, and whether a poll of this session waits there."""
        with urllib.request.urlopen(f"{self.url}/who/{sid}", timeout=5) as response:
            return response.read().decode().split()

    @property
    def sessions(self) -> int:
        return int(self.ask()[3])

    async def is_polled(self, sid: str) -> None:
        """Return when a poll of this session waits here."""
        await asyncio.to_thread(wait_until, lambda: self.ask(sid)[4] == "True")


class Nodes:
    """Several nodes of one cluster."""

    def __init__(self, commands: list[Command], workers: list[Worker], shared: str) -> None:
        self.commands = commands
        self.workers = workers
        self.shared = shared
        self.urls = [worker.url for worker in workers]
        self.internal: list[int] = []
        self.prefix = self.secret = ""

    @property
    def log(self) -> str:
        return "\n".join(line for command in self.commands for line in command.lines)

    def owner(self, sid: str) -> Worker:
        """The node that has a session."""
        return next(worker for worker in self.workers if sid.startswith(worker.id))

    def others(self, sid: str) -> list[Worker]:
        """The nodes that do not have it."""
        return [worker for worker in self.workers if not sid.startswith(worker.id)]


@contextlib.contextmanager
def one_machine(*options: str, workers: int = 3):
    """Workers of one supervisor; between them are Unix sockets."""
    with Command(*SERVE, f"--workers={workers}", "--log-level=debug", *options) as command:
        urls = command.nodes(workers)
        wait_until_known(command, workers)
        found = [Worker(pair[1]) for pair in urls.values()]
        yield Nodes([command], found, next(iter(urls.values()))[0])


@contextlib.contextmanager
def machines(bus: str, *options: str, count: int = 3):
    """Supervisors of one worker each. Their Unix sockets are removed, as if each had a machine to itself."""
    with contextlib.ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="m"))  # short: a socket's path has 107 bytes at most
        stack.callback(shutil.rmtree, folder)
        secret = folder / "secret"
        secret.write_text(secrets.token_hex(32))
        prefix = f"f{secrets.token_hex(4)}"
        common = ("--workers=1", f"--bus={bus}", f"--secret-file={secret}", f"--prefix={prefix}")
        commands, ports = [], []
        for number in range(count):
            temporary = folder / str(number)
            temporary.mkdir()
            ports.append(free_port())
            internal = f"--internal-port={ports[-1]}"
            command = Command(
                *SERVE, *common, internal, *options, "--log-level=debug", env={"TMPDIR": str(temporary)}
            )
            commands.append(stack.enter_context(command))
        urls = [command.nodes(1)["node-1"] for command in commands]
        for command in commands:
            wait_until_known(command, count)
        for path in folder.glob("*/cluster-*/1.sock"):
            path.unlink()
        nodes = Nodes(commands, [Worker(pair[1]) for pair in urls], urls[0][0])
        nodes.internal, nodes.prefix, nodes.secret = ports, prefix, secret.read_text()
        yield nodes


def wait_until_known(command: Command, count: int) -> None:
    """Return when every worker of a command has met all the others."""
    met = re.compile(r" (node-\d+) socketio_cluster\.manager: node \S+ \((\S+)\) is here")
    workers = {
        match[1] for match in map(re.compile(r"(node-\d+) \(\S+\) serves").search, command.lines) if match
    }

    def everyone() -> bool:
        found = [match.groups() for match in map(met.search, command.lines) if match]
        return all(sum(one == worker for one, _ in found) >= count - 1 for worker in workers)

    wait_until(everyone)
