"""Machines for the tests: network namespaces with addresses of their own, at one switch with this process."""

from __future__ import annotations

import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack


class Impossible(Exception):
    """There can be no network namespaces here; the text says why."""


def ip(*words: str) -> str:
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout


class Machine:
    """A namespace with one interface. Its processes are those started with the words of ``inside``."""

    def __init__(self, name: str, address: str):
        self.name = name
        self.address = address
        self.inside = ("ip", "netns", "exec", name)

    def unplug(self):
        """Take its interface down: what is sent is lost, and no connection ends."""
        ip("-n", self.name, "link", "set", "eth0", "down")

    def plug(self):
        """Take its interface up again."""
        ip("-n", self.name, "link", "set", "eth0", "up")

    def pause(self):
        """Stop all its processes in their tracks."""
        self._signal(signal.SIGSTOP)

    def resume(self):
        """Let them go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int):
        for pid in ip("netns", "pids", self.name).split():
            os.kill(int(pid), number)


class Network:
    """A switch in a namespace of its own, so that no rules of this machine's firewall concern it."""

    def __init__(self, count: int):
        self._name = f"sio{secrets.token_hex(3)}"
        self._net = f"10.{random.randrange(128, 255)}.{random.randrange(1, 255)}"
        self.machines = [Machine(f"{self._name}m{at}", f"{self._net}.{at + 1}") for at in range(count)]

    def __enter__(self):
        if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("ip") is None:
            raise Impossible("network namespaces need Linux, root and iproute2")
        with ExitStack() as stack:
            try:
                self._make(stack)
            except subprocess.CalledProcessError as error:
                raise Impossible(f"no network namespaces here: {error.stderr.strip()}") from error
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def _make(self, stack: ExitStack):
        switch = self._add(stack, self._name)
        ip("-n", switch, "link", "add", "switch", "type", "bridge")
        ip("-n", switch, "link", "set", "switch", "up")
        ip("link", "add", switch, "type", "veth", "peer", "name", "tests", "netns", switch)
        self._join("tests")
        ip("addr", "add", f"{self._net}.254/24", "dev", switch)
        ip("link", "set", switch, "up")
        for at, machine in enumerate(self.machines):
            name = self._add(stack, machine.name)
            ip(
                "-n",
                name,
                "link",
                "add",
                "eth0",
                "type",
                "veth",
                "peer",
                "name",
                f"port{at}",
                "netns",
                switch,
            )
            self._join(f"port{at}")
            ip("-n", name, "addr", "add", f"{machine.address}/24", "dev", "eth0")
            machine.plug()

    def _add(self, stack: ExitStack, name: str) -> str:
        ip("netns", "add", name)
        stack.callback(ip, "netns", "del", name)
        ip("-n", name, "link", "set", "lo", "up")
        return name

    def _join(self, interface: str):
        ip("-n", self._name, "link", "set", interface, "master", "switch", "up")
