"""The supervisor: binds the addresses once, provides the bus, and keeps the workers running."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from tempfile import TemporaryDirectory

from socketio_cluster.cluster import logs
from socketio_cluster.cluster.errors import UsageError
from socketio_cluster.cluster.internal import check_internal, plan_internal
from socketio_cluster.cluster.limits.limits import check_limits
from socketio_cluster.cluster.listener import listen, listen_after_orphans, listen_shared, url_of
from socketio_cluster.cluster.options import DEMO_APP, ServeOptions
from socketio_cluster.cluster.probes.probes import Probes, serve_probes
from socketio_cluster.cluster.supervisor.bus import check_bus, credentials, provide_bus, read_bus
from socketio_cluster.cluster.supervisor.slot import Slot
from socketio_cluster.cluster.supervisor.stopping import Stopping
from socketio_cluster.cluster.supervisor.worker_process import first
from socketio_cluster.cluster.target import check_target

log = logging.getLogger("socketio_cluster.cluster")


def run_supervisor(options: ServeOptions) -> int:
    """Serve until a signal; returns the exit code. Raises UsageError before anything was started."""
    logs.set_up("supervisor", level=options.log_level, as_json=options.log_json)
    check_target(options.app)
    options = read_bus(options)
    check_bus(options.bus)
    check_internal(options)
    check_limits(options)
    settings = credentials(options)
    with contextlib.ExitStack() as stack:
        sockets = [[stack.enter_context(sock) for sock in pair] for pair in _listen(options)]
        probes = None if options.probe_port is None else stack.enter_context(_listen_for_probes(options))
        return asyncio.run(Supervisor(options, sockets, probes).run(settings))


def _listen(options: ServeOptions) -> list[tuple[socket.socket, ...]]:
    """The sockets of each worker: one of the shared address and, with --direct-port, one of its own."""
    shared = listen_shared(options.host, options.port, options.workers)
    if options.direct_port is None:
        return [(sock,) for sock in shared]
    direct = [listen_after_orphans(options.host, port) for port in _direct_ports(options)]
    return list(zip(shared, direct, strict=True))


def _listen_for_probes(options: ServeOptions) -> socket.socket:
    sock = listen(options.probe_host, options.probe_port or 0, option="--probe-host")
    log.info("probes at %s", url_of(sock))
    return sock


class Supervisor:
    """Runs one slot for each worker.

    `sockets` has what each of them listens on, the shared address first; `probes` is where it listens
    itself, if it does.
    """

    def __init__(
        self, options: ServeOptions, sockets: list[list[socket.socket]], probes: socket.socket | None
    ) -> None:
        self._options = options
        self._sockets = sockets
        self._probes = probes
        self._slots: list[Slot] = []
        self._stopping = Stopping()

    async def run(self, settings: Mapping[str, str]) -> int:
        """Start the workers, wait for a signal or a failed first start, stop them; returns the exit code.

        `settings` are for the workers' managers.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        # For sockets; only this user may enter it, which is all the access control that they need.
        with TemporaryDirectory(prefix="cluster-", ignore_cleanup_errors=True) as path:
            folder = Path(path)
            async with provide_bus(self._options.bus, folder) as bus:
                env = {**os.environ, **bus}
                if self._options.prefix:
                    env["CLUSTER_PREFIX"] = self._options.prefix
                self._slots = self._make_slots(env, settings, folder)
                async with self._serve_probes():
                    code = await self._keep_all()
        log.info("stopped")
        return code

    def _serve_probes(self) -> AbstractAsyncContextManager[None]:
        if self._probes is None:
            return contextlib.nullcontext()
        return serve_probes(self._probes, Probes(lambda: self._slots, self._drain))

    def _make_slots(self, env: Mapping[str, str], settings: Mapping[str, str], folder: Path) -> list[Slot]:
        name, places = self._options.node_name, plan_internal(self._options, folder)
        return [
            Slot(f"{name}-{number}", self._options, sockets, internal, env, settings, self._stopping)
            for number, (sockets, internal) in enumerate(zip(self._sockets, places, strict=True), start=1)
        ]

    async def _keep_all(self) -> int:
        # One first: an application that cannot start says so once, not once for each worker.
        pilot, *rest = self._slots
        keepers = [asyncio.create_task(pilot.keep())]
        await first(pilot.started.wait(), self._stopping.asked.wait(), asyncio.wait(keepers))
        if pilot.started.is_set():
            keepers += [asyncio.create_task(slot.keep()) for slot in rest]
            greeting = asyncio.create_task(self._greet())
            await asyncio.wait(keepers, return_when=asyncio.FIRST_COMPLETED)
            greeting.cancel()
            await asyncio.gather(greeting, return_exceptions=True)
        self._stopping.asked.set()
        return max(await asyncio.gather(*keepers))

    async def _greet(self) -> None:
        for slot in self._slots:
            await slot.started.wait()
        if self._options.app == DEMO_APP:
            print(f"\n  The demo is at {url_of(self._sockets[0][0])}  (Ctrl-C stops it)\n", flush=True)

    def _stop(self) -> None:
        log.info("stopping")
        self._stopping.signalled()

    def _drain(self) -> None:
        log.info("stopping: asked to drain")
        self._stopping.drain()


def _direct_ports(options: ServeOptions) -> list[int]:
    first_port = options.direct_port or 0
    if first_port + options.workers > 65536:
        raise UsageError(f"--direct-port {first_port}: there are no {options.workers} ports from there on")
    # 0 stays 0: a free port for each.
    return [first_port and first_port + index for index in range(options.workers)]
