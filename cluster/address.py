"""Where a node's internal listener is, as one string that travels with its heartbeats.

    unix:MACHINE:/run/dir/1.sock tcp:10.0.0.5:9000

A Unix socket can be reached only by who sees the same file system, so MACHINE stands for the boot of the
kernel and the mount namespace: containers of one machine have different ones, and use TCP.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from pathlib import Path
from urllib.parse import quote, unquote

Place = str | tuple[str, int]
"""The path of a Unix socket, or a host and a port."""


@cache
def machine() -> str:
    """Name what the processes that see this one's files have in common: 16 hexadecimal digits."""
    parts = [socket.gethostname()]
    with suppress(OSError):  # no /proc: the host name has to do
        parts = [Path("/proc/sys/kernel/random/boot_id").read_text(), os.readlink("/proc/self/ns/mnt")]
    return blake2b("|".join(parts).encode(), digest_size=8).hexdigest()


def write_address(path: Path, host: str = "", port: int | None = None) -> str:
    """Give the address of a listener at a Unix socket and, with ``port``, on TCP."""
    unix = f"unix:{machine()}:{quote(str(path))}"
    return unix if port is None else f"{unix} tcp:{host}:{port}"


def read_address(address: str) -> list[Place]:
    """The places that can be reached from here, the nearest first; empty for an address of another form."""
    places: list[Place] = []
    for word in address.split():
        kind, _, where = word.partition(":")
        front, _, back = where.partition(":") if kind == "unix" else where.rpartition(":")
        if kind == "unix" and front == machine():
            places.insert(0, unquote(back))
        elif kind == "tcp" and front and back.isdecimal():
            places.append((front, int(back)))
    return places
