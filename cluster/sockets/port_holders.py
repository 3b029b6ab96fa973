"""Finds the processes that listen on an address, as far as Linux's /proc shows them to this user."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Final

PROC: Final = Path("/proc")
LISTENING: Final = "0A"
"""The state TCP_LISTEN in /proc/net/tcp."""

ACCEPTING: Final = "00010000"
"""The flag __SO_ACCEPTCON in /proc/net/unix."""


@dataclass(frozen=True)
class Holder:
    """A process that has a listening socket open, and its command line."""

    pid: int
    command: tuple[str, ...]

    def __str__(self) -> str:
        program, *arguments = self.command
        words = " ".join((Path(program).name, *arguments[:3]))
        return f"process {self.pid} ({shorten(words, 60, placeholder=' …')})"


def port_holders(family: int, host: str, port: int) -> list[Holder]:
    """Return the processes whose sockets prevent a new one at the numeric address `host` and `port`.

    The list is empty without /proc, and when the processes belong to another user.
    """
    inodes = {f"socket:[{inode}]" for inode in _listening_inodes(family, host, port)}
    return list(_processes_with(inodes)) if inodes else []


def path_holders(path: str) -> list[Holder]:
    """Return the processes that listen on a Unix socket at an absolute path, as `port_holders` does."""
    inodes = set()
    with suppress(OSError):
        for line in (PROC / "net" / "unix").read_text().splitlines()[1:]:
            fields = line.split(maxsplit=7)
            if fields[3] == ACCEPTING and fields[7:] == [path]:
                inodes.add(f"socket:[{fields[6]}]")
    return list(_processes_with(inodes)) if inodes else []


def _listening_inodes(family: int, host: str, port: int) -> Iterator[str]:
    ours = _as_proc_writes_it(socket.inet_pton(family, host.partition("%")[0]))
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in (PROC / "net" / table).read_text().splitlines()[1:]:
                fields = line.split()
                address, _, hexadecimal = fields[1].rpartition(":")
                if fields[3] == LISTENING and int(hexadecimal, 16) == port and _overlap(address, ours):
                    yield fields[9]


def _as_proc_writes_it(address: bytes) -> str:
    # The kernel writes 32-bit words in the byte order of this machine, not in the order on the wire.
    return "".join(f"{word:08X}" for word in struct.unpack(f"={len(address) // 4}I", address))


def _overlap(one: str, other: str) -> bool:
    # A wildcard address, all zeros, takes the port on every address.
    return one == other or not one.strip("0") or not other.strip("0")


def _processes_with(sockets: set[str]) -> Iterator[Holder]:
    for folder in PROC.iterdir():
        # OSError means that the process has ended meanwhile, or belongs to another user.
        with suppress(OSError):
            if folder.name.isdecimal() and any(_target(fd) in sockets for fd in (folder / "fd").iterdir()):
                command = (folder / "cmdline").read_bytes().decode(errors="replace")
                # A process that ends has no command line any more, and is about to close its sockets.
                if command:
                    yield Holder(int(folder.name), tuple(command.rstrip("\0").split("\0")))


def _target(fd: Path) -> str:
    try:
        return os.readlink(fd)
    except OSError:  # it was closed meanwhile
        return ""
