"""Where a worker listens for other nodes, and what it tells them about it."""

from __future__ import annotations

from dataclasses import dataclass
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


def plan_internal(options: ServeOptions, folder: Path) -> list[Internal]:
    """Give each worker its place to listen; the sockets lie in ``folder``."""
    first = options.internal_port
    return [
        Internal(
            socket=folder / f"{index + 1}.sock",
            host=options.internal_host,
            port=None if first is None else first + index,
        )
        for index in range(options.workers)
    ]


def check_internal(options: ServeOptions) -> None:
    """Raise UsageError when other machines could not find the workers."""
    first = options.internal_port
    if first is None:
        return
    if first == 0 or first + options.workers > 65536:
        raise UsageError(f"--internal-port {first}: there are no {options.workers} ports from there on")
    if options.internal_host in EVERYWHERE and not options.advertise:
        raise UsageError(
            f"--internal-host {options.internal_host} is no address that another machine can use: "
            "tell it one with --advertise"
        )
