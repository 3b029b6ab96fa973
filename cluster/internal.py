"""Where a worker listens for other nodes, and what it tells them about it."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from socketio_cluster.cluster.address import write_address
from socketio_cluster.cluster.errors import UsageError
from socketio_cluster.cluster.options import ServeOptions

EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104


@dataclass(frozen=True, kw_only=True)
class Internal:
    """A Unix socket for the workers of this machine and, with a port, TCP for other machines."""

    socket: Path
    host: str
    port: int | None

    @property
    def status_socket(self) -> Path:
        """Where the worker tells its supervisor how it is."""
        return self.socket.with_suffix(".status")

    def address(self, advertise: str | None) -> str:
        """What other nodes are told; ``advertise`` is how other machines call this one."""
        return write_address(self.socket, advertise or self.host, self.port)


class Places:
    """Gives each worker its place to listen; the sockets lie in ``folder``.

    There is one port more than there are workers: while workers are replaced one by one, the successor
    of one that still serves its clients takes the port that is free.
    """

    def __init__(self, options: ServeOptions, folder: Path) -> None:
        self._folder = folder
        self._host = options.internal_host
        self._numbers = count(1)
        first = options.internal_port
        self._ports = [] if first is None else list(range(first, first + options.workers + 1))

    def take(self) -> Internal:
        """Give a place, with the lowest port that is free."""
        port = self._ports.pop(0) if self._ports else None
        return Internal(socket=self._folder / f"{next(self._numbers)}.sock", host=self._host, port=port)

    def give_back(self, place: Internal) -> None:
        """Let others have its port."""
        if place.port is not None:
            insort(self._ports, place.port)


def check_internal(options: ServeOptions) -> None:
    """Raise UsageError when other machines could not find the workers."""
    first = options.internal_port
    if first is None:
        return
    if first == 0 or first + options.workers > 65535:
        raise UsageError(f"--internal-port {first}: there are no {options.workers + 1} ports from there on")
    if options.internal_host in EVERYWHERE and not options.advertise:
        raise UsageError(
            f"--internal-host {options.internal_host} is no address that another machine can use: "
            "tell it one with --advertise"
        )
