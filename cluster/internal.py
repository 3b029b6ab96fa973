"""The addresses at which a worker listens for other nodes.

A node's address is one string that travels with its heartbeats:

    unix:MACHINE:/run/dir/1.sock tcp:10.0.0.5:9000

Only processes that see the same file system can reach a Unix socket. So MACHINE stands for the boot of the
kernel and the mount namespace: containers of one machine have different ones, and use TCP.
"""

from __future__ import annotations

import os
import socket
from bisect import insort
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from itertools import count
from pathlib import Path
from urllib.parse import quote, unquote

from socketio_cluster.cluster.cli.options import ServeOptions
from socketio_cluster.cluster.errors import UsageError

EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104


Place = str | tuple[str, int]
"""The path of a Unix socket, or a host and a port."""


@dataclass(frozen=True, kw_only=True)
class Internal:
    """A Unix socket for the workers of this machine and, with a port, TCP for other machines."""

    socket: Path
    host: str
    port: int | None

    @property
    def status_socket(self) -> Path:
        """The path at which the worker answers its supervisor's questions."""
        return self.socket.with_suffix(".status")

    def address(self, advertise: str | None) -> str:
        """Return the address for other nodes.

        ``advertise`` is this machine's name or address for other machines.
        """
        return write_address(self.socket, advertise or self.host, self.port)


class Places:
    """Gives each worker an address to listen at. The Unix sockets lie in ``folder``.

    There are more ports than workers, see `count_ports`: while a worker is replaced it still needs its port,
    and the successor takes a free one.
    """

    def __init__(self, options: ServeOptions, folder: Path) -> None:
        self._folder = folder
        self._host = options.internal_host
        self._numbers = count(1)
        first = options.internal_port
        self._ports = [] if first is None else list(range(first, first + count_ports(options)))

    def acquire(self) -> Internal:
        """Return addresses that are not in use, with the lowest free port."""
        port = self._ports.pop(0) if self._ports else None
        return Internal(socket=self._folder / f"{next(self._numbers)}.sock", host=self._host, port=port)

    def release(self, place: Internal) -> None:
        """Make the port free for other workers."""
        if place.port is not None:
            insort(self._ports, place.port)


def count_ports(options: ServeOptions) -> int:
    """Return how many internal ports there are.

    SIGHUP replaces the workers one by one, which takes one more; with --reload they are replaced together.
    """
    return 2 * options.workers if options.reload else options.workers + 1


def check_internal(options: ServeOptions) -> None:
    """Raise UsageError when other machines could not reach the workers."""
    first = options.internal_port
    if first is None:
        return
    count = count_ports(options)
    if first == 0 or first + count > 65536:
        raise UsageError(f"--internal-port {first}: there are no {count} ports from there on")
    if options.internal_host in EVERYWHERE and not options.advertise:
        raise UsageError(
            f"--internal-host {options.internal_host} is no address that another machine can use: "
            "tell it one with --advertise"
        )


@cache
def machine() -> str:
    """Return 16 hexadecimal digits that are the same for all processes that see this one's files."""
    parts = [socket.gethostname()]
    with suppress(OSError):  # without /proc the host name has to do
        parts = [Path("/proc/sys/kernel/random/boot_id").read_text(), os.readlink("/proc/self/ns/mnt")]
    return blake2b("|".join(parts).encode(), digest_size=8).hexdigest()


def write_address(path: Path, host: str = "", port: int | None = None) -> str:
    """Return the address of a listener at a Unix socket and, with ``port``, on TCP."""
    unix = f"unix:{machine()}:{quote(str(path))}"
    return unix if port is None else f"{unix} tcp:{host}:{port}"


def read_address(address: str) -> list[Place]:
    """Return the places that can be reached from here, the nearest first.

    None for an address of another form.
    """
    places: list[Place] = []
    for word in address.split():
        kind, _, where = word.partition(":")
        front, _, back = where.partition(":") if kind == "unix" else where.rpartition(":")
        if kind == "unix" and front == machine():
            places.insert(0, unquote(back))
        elif kind == "tcp" and front and back.isdecimal():
            places.append((front, int(back)))
    return places
