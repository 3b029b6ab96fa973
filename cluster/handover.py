"""What the supervisor hands over to a worker: one object, through the socket pair that ties them together.

Neither the command line nor the environment of a process is private, and both are inherited or shown by
tools that report crashes: the secret and the password of the bus take this way instead.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from socketio_cluster.cluster.internal import Internal
from socketio_cluster.cluster.options import ServeOptions

LENGTH: Final = struct.Struct("!I")


@dataclass(frozen=True, kw_only=True)
class WorkerOptions:
    """What one worker is told.

    ``fds`` are the listening sockets that it inherits. ``settings`` are ``CLUSTER_…`` settings for its
    managers alone.
    """

    serve: ServeOptions
    node: str
    fds: list[int]
    internal: Internal
    settings: dict[str, str] = field(repr=False)


def encode(options: WorkerOptions) -> bytes:
    """The length as four bytes, then JSON."""
    body = msgspec.json.encode(options, enc_hook=str)
    return LENGTH.pack(len(body)) + body


def receive(sock: socket.socket) -> WorkerOptions:
    """Wait for what ``encode`` has made; raises ConnectionError when the supervisor is gone before."""
    (length,) = LENGTH.unpack(_read(sock, LENGTH.size))
    return msgspec.json.decode(_read(sock, length), type=WorkerOptions, dec_hook=_path)


def _path(kind: type[Any], text: Any) -> Any:
    if kind is not Path:
        raise NotImplementedError(f"{kind} cannot be handed over")
    return Path(text)


def _read(sock: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = sock.recv(count - len(data))
        if not more:
            raise ConnectionError("the supervisor is gone")
        data += more
    return data
