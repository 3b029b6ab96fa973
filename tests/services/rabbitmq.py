"""A RabbitMQ node of its own: own ports, own data, own cookie, own epmd; nothing is left behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from tests.services.guard import launch
from tests.services.process import free_port, program, stop, wait_for_port

DEBIAN = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""Debian's command in the PATH switches to the user ``rabbitmq``; this is the script behind it."""


class RabbitServer:
    """``with RabbitServer(folder) as server:``, then ``server.url``; settings are lines of its file."""

    def __init__(self, folder: Path, *settings: str) -> None:
        self.folder = folder
        self.port, self._epmd_port, self._dist_port = free_port(), free_port(), free_port()
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}//"
        self.log = folder / "output.log"
        (folder / "plugins").write_text("[].\n")
        (folder / "rabbitmq.conf").write_text(
            "\n".join(
                (f"listeners.tcp.default = 127.0.0.1:{self.port}", "loopback_users = none", *settings, "")
            )
        )

    def __enter__(self) -> RabbitServer:
        # erl would start an epmd that outlives us; one in the foreground is ours to end.
        self._epmd = launch(
            [program("epmd", package="erlang-base"), "-port", str(self._epmd_port), "-address", "127.0.0.1"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for_port(self._epmd_port, self._epmd, self.log)
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if hasattr(self, "_process"):
            self.stop()
        stop(self._epmd)

    def start(self) -> None:
        """Start the node and wait until it speaks AMQP."""
        command = str(DEBIAN) if DEBIAN.exists() else program("rabbitmq-server", package="rabbitmq-server")
        with self.log.open("ab") as log:
            self._process = launch(
                [command],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_for_port(self.port, self._process, self.log, seconds=60)
        self._greet()

    def stop(self) -> None:
        """Kill the node hard, as a power cut would."""
        self._signal(signal.SIGKILL)
        self._process.wait()

    def pause(self) -> None:
        """Stop the node in its tracks: its port accepts, nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused node go on."""
        self._signal(signal.SIGCONT)

    def ask(self, *question: str) -> list[dict[str, object]]:
        """Give the rows of a ``rabbitmqctl list_…`` command."""
        command = DEBIAN.with_name("rabbitmqctl")
        path = str(command) if command.exists() else program("rabbitmqctl", package="rabbitmq-server")
        answer = subprocess.run(
            [path, "-q", *question, "--formatter", "json"],
            env=self._environment(),
            capture_output=True,
            check=True,
            timeout=60,
        )
        return json.loads(answer.stdout)

    def tell(self, *command: str) -> None:
        """Run a ``rabbitmqctl`` command."""
        script = DEBIAN.with_name("rabbitmqctl")
        path = str(script) if script.exists() else program("rabbitmqctl", package="rabbitmq-server")
        subprocess.run([path, "-q", *command], env=self._environment(), check=True, timeout=60)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def _environment(self) -> dict[str, str]:
        return os.environ | {
            "HOME": str(self.folder),  # where Erlang keeps its cookie
            "ERL_EPMD_PORT": str(self._epmd_port),
            "RABBITMQ_NODENAME": f"test{self.port}@localhost",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "RABBITMQ_BASE": str(self.folder),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            # Its schedulers would spin for a while before they sleep: other tests need the processor.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none +S 1:1",
            "RUNNING_UNDER_SYSTEMD": "true",  # the script becomes the node instead of its parent
        }

    def _greet(self) -> None:
        """Wait for the first frame of a handshake: the port opens before the node takes connections."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as sock:
                sock.sendall(b"AMQP\x00\x00\x09\x01")
                if sock.recv(1) == b"\x01":
                    return
            time.sleep(0.1)
        raise RuntimeError(f"RabbitMQ does not speak AMQP on port {self.port}; see {self.log}")
