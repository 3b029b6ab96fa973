"""The worker's end of the socket pair that ties it to its supervisor."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import threading
import time

from socketio_cluster.cluster.rundir import sweep

log = logging.getLogger("socketio_cluster.cluster")


class Lifeline:
    """Tells the supervisor that this event loop runs, and stops this process when the supervisor is gone.

    `sock` is the inherited end; `beat` and `grace` are in seconds.
    """

    def __init__(self, sock: socket.socket, *, beat: float, grace: float) -> None:
        self._sock = sock
        self._beat = beat
        self._grace = grace
        self._task: asyncio.Task[None] | None = None
        self.orphaned = False
        """Whether the supervisor is gone."""
        # A thread, because a stuck event loop must not outlive its supervisor either.
        threading.Thread(target=self._wait_for_orphanage, name="lifeline", daemon=True).start()

    def ready(self, node_id: str) -> None:
        """Say that this worker accepts, under which node id, and start the heartbeat."""
        self._send(f"ready {node_id}\n".encode())
        self._task = asyncio.get_running_loop().create_task(self._beat_forever(), name="lifeline")

    def drained(self) -> None:
        """Say that this worker has let its clients go, and waits for the others."""
        self._send(b"drained\n")

    async def _beat_forever(self) -> None:
        while True:
            await asyncio.sleep(self._beat)
            self._send(b"alive\n")

    def _send(self, line: bytes) -> None:
        # A full socket means that the supervisor is paused; it needs one line, not all of them.
        with contextlib.suppress(OSError):
            self._sock.send(line, socket.MSG_DONTWAIT)

    def _wait_for_orphanage(self) -> None:
        with contextlib.suppress(OSError):
            while self._sock.recv(64):
                pass
        log.error("the supervisor is gone: stopping")
        self.orphaned = True
        sweep()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(self._grace)
        os._exit(1)
