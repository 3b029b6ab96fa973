"""A slot for one worker: a name, addresses, and a process that is started again when it ends."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Mapping
from pathlib import Path

from socketio_cluster.cluster.cli.options import LAST_SECONDS, ServeOptions
from socketio_cluster.cluster.probes.status import WorkerState
from socketio_cluster.cluster.sockets.sockets import url_of
from socketio_cluster.cluster.supervisor.lifeline import WorkerOptions
from socketio_cluster.cluster.supervisor.signals import Stopping
from socketio_cluster.cluster.supervisor.worker_process import WorkerProcess, first
from socketio_cluster.manager.bus.registry import safe_url

log = logging.getLogger("socketio_cluster.cluster")

FIRST_DELAY, LONGEST_DELAY = 0.5, 10.0
# A worker that has lived for so many seconds has recovered: its next failure has the first delay again.
RECOVERED_AFTER = 30.0
USAGE_ERROR, FAILED_START = 2, 3


def drain_seconds(options: ServeOptions) -> float:
    """Return the seconds that a worker's drain may take, with the last goodbyes."""
    return options.drain_delay + options.drain_window + LAST_SECONDS


# The limit of one header in a WebSocket's handshake. The websockets library has 8192; some cookies are
# longer.
HEADER_BYTES = "65536"


class Slot:
    """Keeps one worker running until it is asked to stop, or a successor has taken its place.

    `options` are the options of the worker, `sockets` are the sockets that it listens on, and `env` is its
    environment, without the variables for its name and address.
    """

    def __init__(
        self, options: WorkerOptions, sockets: list[socket.socket], env: Mapping[str, str], stopping: Stopping
    ) -> None:
        self.node = options.node
        self.internal = options.internal
        self.started = asyncio.Event()
        self.state = WorkerState.STARTING
        self._stopping = stopping
        self._retired = asyncio.Event()
        self._worker_options = options
        self._options = options.serve
        self._sockets = sockets
        address = options.internal.address(options.serve.advertise)
        self._env = {
            "WEBSOCKETS_MAX_LINE_LENGTH": HEADER_BYTES,
            **env,
            "CLUSTER_NODE_NAME": options.node,
            "CLUSTER_NODE_ADDRESS": address,
        }

    @property
    def status_socket(self) -> Path:
        """The path at which its process answers questions."""
        return self.internal.status_socket

    def retire(self) -> None:
        """Drain the worker and end it: a successor serves the same sockets."""
        self._retired.set()

    async def keep(self) -> int:
        """Run the worker, and start it again when it ends; return the exit code when the slot ends.

        The code is 0, unless the very first process never accepted connections.
        """
        try:
            return await self._keep()
        finally:
            self.state = WorkerState.STOPPED

    async def _keep(self) -> int:
        delay = FIRST_DELAY
        while not self._is_to_end():
            began = time.monotonic()
            code = await self._run_one()
            if self._is_to_end():
                break
            if not self.started.is_set():
                return USAGE_ERROR if code == USAGE_ERROR else FAILED_START
            delay = FIRST_DELAY if time.monotonic() - began > RECOVERED_AFTER else delay
            log.warning("%s is started again in %g s", self.node, delay)
            await first(self._end_asked(), timeout=delay)
            delay = min(2 * delay, LONGEST_DELAY)
        return 0

    def _is_to_end(self) -> bool:
        return self._stopping.asked.is_set() or self._retired.is_set()

    async def _end_asked(self) -> None:
        await first(self._stopping.asked.wait(), self._retired.wait())

    async def _run_one(self) -> int | None:
        try:
            worker = await WorkerProcess.spawn(self._worker_options, self._env)
        except OSError as error:  # no memory or no process is left, or Python is being replaced
            log.error("%s cannot be started: %s", self.node, error)
            return None
        try:
            # The watch ends first, because a worker that shuts down sends no heartbeats and is not stuck.
            await first(self._watch(worker), self._end_asked())
        finally:
            await self._let_clients_go(worker)
            await worker.stop(self._options.grace, self._stopping)
            self.state = WorkerState.STARTING
        return worker.process.returncode

    async def _let_clients_go(self, worker: WorkerProcess) -> None:
        if not self._is_to_end():
            return
        drain = worker.drain(
            drain_seconds(self._options), self._stopping.hurry, replaced=self._retired.is_set()
        )
        await (drain if self._retired.is_set() else self._stopping.together(drain))
        self.state = WorkerState.STOPPED

    async def _watch(self, worker: WorkerProcess) -> None:
        trouble = await worker.ready(self._options.start_timeout)
        if trouble is None:
            self.started.set()
            self.state = WorkerState.SERVING
            where = " and ".join(url_of(sock, self._options.scheme) for sock in self._sockets)
            bus = safe_url(self._options.bus)
            log.info("%s (%s) serves %s, bus %s", self.node, worker.node_id, where, bus)
            trouble = await worker.end(self._options.stuck_after)
        if worker.process.returncode != USAGE_ERROR:  # then the worker has said what to change
            log.error("%s %s", self.node, trouble)
