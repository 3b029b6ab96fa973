"""The socket pair that ties a worker to its supervisor, and the messages on it.

First the supervisor sends the worker's options, as one object. The command line and the environment of a
process are not private: other processes inherit them, and tools that report crashes show them. So the secret
and the password of the bus take this way instead. Then the worker sends lines: it is ready, it is alive, it
has drained. The supervisor sends a line when a successor accepts. When one of the two ends, the other one
sees the end of the stream.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from socketio_cluster.cluster.cli.options import ServeOptions
from socketio_cluster.cluster.emit.settings import EmitSettings
from socketio_cluster.cluster.internal import Internal

log = logging.getLogger("socketio_cluster.cluster")

LENGTH: Final = struct.Struct("!I")
DRAINED: Final = b"drained\n"
"""The line of a worker whose clients are gone."""
REPLACED: Final = b"replaced\n"
"""The line of the supervisor when the worker's successor accepts."""
BEATS: Final = 10
"""Heartbeats of a worker in the time after which a silent one counts as stuck."""


@dataclass(frozen=True, kw_only=True)
class WorkerOptions:
    """The options of one worker.

    ``fds`` are the listening sockets that it inherits. ``settings`` are ``CLUSTER_…`` settings for its
    managers alone, and ``emit`` is its emit port, if it has one.
    """

    serve: ServeOptions
    node: str
    fds: list[int]
    internal: Internal
    settings: dict[str, str] = field(repr=False)
    emit: EmitSettings | None = None

    @property
    def inherited(self) -> list[int]:
        """The file descriptors of all sockets that the process listens on."""
        return self.fds if self.emit is None else [*self.fds, self.emit.fd]


def encode(options: WorkerOptions) -> bytes:
    """Return the length as four bytes, then JSON."""
    body = msgspec.json.encode(options, enc_hook=str)
    return LENGTH.pack(len(body)) + body


def receive(sock: socket.socket) -> WorkerOptions:
    """Read what ``encode`` has made; block, and raise ConnectionError when the supervisor ends before."""
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


class Lifeline:
    """Tells the supervisor that this event loop runs, and stops this process when the supervisor has ended.

    `sock` is the inherited end of the socket pair.
    """

    def __init__(self, sock: socket.socket, options: WorkerOptions) -> None:
        self._sock = sock
        self._beat = options.serve.stuck_after / BEATS
        self._grace = options.serve.grace
        self._folder = options.internal.socket.parent
        self._task: asyncio.Task[None] | None = None
        self.orphaned = False
        """Whether the supervisor has ended."""
        self._replaced: Callable[[], object] = lambda: None
        # It is a thread, because a worker with a stuck event loop must end with its supervisor too.
        threading.Thread(target=self._listen, name="lifeline", daemon=True).start()

    def ready(self, node_id: str, replaced: Callable[[], None]) -> None:
        """Tell the supervisor that this worker accepts, and its node id; then send heartbeats.

        `replaced` is called in the running loop when a successor accepts as well.
        """
        loop = asyncio.get_running_loop()
        self._replaced = lambda: loop.call_soon_threadsafe(replaced)
        self._send(f"ready {node_id}\n".encode())
        self._task = loop.create_task(self._beat_forever(), name="lifeline")

    def drained(self) -> None:
        """Tell the supervisor that the clients have left, and that this worker waits for other workers."""
        self._send(DRAINED)

    async def _beat_forever(self) -> None:
        while True:
            await asyncio.sleep(self._beat)
            self._send(b"alive\n")

    def _send(self, line: bytes) -> None:
        # The socket is full when the supervisor is paused. It does not need every line.
        with contextlib.suppress(OSError):
            self._sock.send(line, socket.MSG_DONTWAIT)

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while self._sock.recv(64):  # the supervisor sends only one kind of line
                self._replaced()
        log.error("the supervisor is gone: stopping")
        self.orphaned = True
        # The supervisor could not remove its folder; the first orphan does.
        shutil.rmtree(self._folder, ignore_errors=True)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(self._grace)
        os._exit(1)
