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
from socketio_cluster.cluster.cli.options import DEMO_APP, ServeOptions, check_limits
from socketio_cluster.cluster.emit.settings import EmitSettings, emit_tokens
from socketio_cluster.cluster.errors import UsageError
from socketio_cluster.cluster.internal import Places, check_internal
from socketio_cluster.cluster.probes.probes import Probes, serve_probes
from socketio_cluster.cluster.sockets.sockets import url_of
from socketio_cluster.cluster.sockets.tls import server_context
from socketio_cluster.cluster.supervisor.bus import (
    SECRETS,
    check_settings,
    credentials,
    provide_bus,
    read_urls,
)
from socketio_cluster.cluster.supervisor.changes import check_reloading, watch
from socketio_cluster.cluster.supervisor.lifeline import WorkerOptions
from socketio_cluster.cluster.supervisor.listening import (
    listen_for_emits,
    listen_for_probes,
    listen_for_workers,
)
from socketio_cluster.cluster.supervisor.signals import Stopping, Terminal
from socketio_cluster.cluster.supervisor.slot import Slot
from socketio_cluster.cluster.supervisor.systemd import Systemd
from socketio_cluster.cluster.supervisor.worker_process import first
from socketio_cluster.cluster.target import check_target

log = logging.getLogger("socketio_cluster.cluster")


def run_supervisor(options: ServeOptions) -> int:
    """Serve until a signal; return the exit code. Raises UsageError before anything is started."""
    logs.set_up("supervisor", options)
    check_target(options.app, options.app_dir)
    options = read_urls(options)
    settings = credentials(options)
    check_settings(options, settings)
    check_internal(options)
    check_limits(options)
    check_reloading(options)
    server_context(options)
    with contextlib.ExitStack() as stack:
        sockets = listen_for_workers(options, stack)
        probes, emits = listen_for_probes(options, stack), listen_for_emits(options, stack)
        return asyncio.run(Supervisor(options, sockets, probes, emits).run(settings))


class Supervisor:
    """Runs one slot for each worker.

    `sockets` are the sockets of each worker, that of the shared address first. `probes` and `emits` are the
    sockets of the probe port and of the emit port, if there are such.
    """

    def __init__(
        self,
        options: ServeOptions,
        sockets: list[list[socket.socket]],
        probes: socket.socket | None,
        emits: socket.socket | None = None,
    ) -> None:
        self._options = options
        self._sockets = sockets
        self._probes = probes
        self._emits = emits
        self._slots: list[Slot] = []
        self._keepers: dict[Slot, asyncio.Task[int]] = {}
        self._stopping = Stopping()
        self._reload = asyncio.Event()
        self._terminal = Terminal()
        self._systemd = Systemd(os.environ)
        self._settings: Mapping[str, str] = {}
        self._tokens = emit_tokens(options) if emits is not None else []
        self._env: Mapping[str, str] = {}
        self._places: Places

    async def run(self, settings: Mapping[str, str]) -> int:
        """Start the workers, wait for a signal or a failed first start, and stop them; return the exit code.

        `settings` are the private settings of the workers' managers.
        """
        self._settings = settings
        self._listen_for_signals()
        # The folder is for sockets. Only this user may enter it, and they need no other access control.
        with TemporaryDirectory(prefix="cluster-", ignore_cleanup_errors=True) as path:
            self._places = Places(self._options, Path(path))
            async with provide_bus(self._options.bus, Path(path)) as bus:
                inherited = {name: value for name, value in os.environ.items() if name not in SECRETS}
                self._env = {**inherited, **bus}
                if self._options.prefix:
                    self._env["CLUSTER_PREFIX"] = self._options.prefix
                if self._options.recovery_seconds is not None:
                    self._env["CLUSTER_RECOVERY_SECONDS"] = str(self._options.recovery_seconds)
                self._slots = [self._make_slot(index) for index in range(self._options.workers)]
                async with self._serve_probes():
                    others = [asyncio.create_task(self._systemd.keep_alive())]
                    if self._options.reload:
                        others.append(asyncio.create_task(watch(self._options, self._reload.set)))
                    code = await self._keep_all()
                    for other in others:
                        other.cancel()
                    await asyncio.gather(*others, return_exceptions=True)
        log.info("stopped")
        return code

    def _listen_for_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)

    def _serve_probes(self) -> AbstractAsyncContextManager[None]:
        if self._probes is None:
            return contextlib.nullcontext()
        return serve_probes(self._probes, Probes(lambda: self._slots, self._drain, self._options.probe_names))

    def _make_slot(self, index: int) -> Slot:
        sockets = self._sockets[index]
        options = WorkerOptions(
            serve=self._options,
            node=f"{self._options.node_name}-{index + 1}",
            fds=[sock.fileno() for sock in sockets],
            internal=self._places.acquire(),
            settings=dict(self._settings),
            emit=None if self._emits is None else EmitSettings(self._emits.fileno(), self._tokens),
        )
        return Slot(options, sockets, self._env, self._stopping)

    async def _keep_all(self) -> int:
        # One worker starts first, so that an application that cannot start reports it once, not once per
        # worker.
        await first(self._start_first(), self._stopping.asked.wait())
        if not self._stopping.asked.is_set():
            for slot in self._slots[1:]:
                self._keep(slot)
            await first(self._greet_and_reload(), self._stopping.asked.wait())
        self._systemd.stopping()
        return max(await asyncio.gather(*self._keepers.values()), default=0)

    async def _start_first(self) -> None:
        """Start the first worker; with --reload again after each change, until it can start."""
        while not await self._starts(self._slots[0]) and self._options.reload:
            log.error("waiting for a change of the application")
            del self._keepers[self._slots[0]]
            await self._reload.wait()
            self._reload.clear()
            self._slots[0] = self._make_slot(0)

    async def _starts(self, slot: Slot) -> bool:
        """Keep a worker running; return True when it accepts, False when it cannot start."""
        await first(slot.started.wait(), asyncio.wait([self._keep(slot)]))
        return slot.started.is_set()

    def _keep(self, slot: Slot) -> asyncio.Task[int]:
        keeper = self._keepers[slot] = asyncio.create_task(slot.keep(), name=slot.node)
        keeper.add_done_callback(lambda _: self._ended(slot))
        return keeper

    def _ended(self, slot: Slot) -> None:
        self._places.release(slot.internal)
        mended = self._options.reload and not slot.started.is_set()
        # When no successor has its place, it cannot start, or all are to stop.
        if slot in self._slots and not mended:
            self._stopping.asked.set()

    async def _greet_and_reload(self) -> None:
        for slot in self._slots:
            await slot.started.wait()
        url = url_of(self._sockets[0][0], self._options.scheme)
        if self._options.app == DEMO_APP:
            print(f"\n  The demo is at {url}  (Ctrl-C stops it)\n", flush=True)
        while True:
            self._systemd.ready(f"{len(self._slots)} workers at {url}")
            await self._reload.wait()
            self._reload.clear()
            self._systemd.reloading()
            await self._replace_all()

    async def _replace_all(self) -> None:
        # Somebody who develops waits for the last of them.
        indexes = range(len(self._slots))
        groups = [indexes[:1], indexes[1:]] if self._options.reload else [[index] for index in indexes]
        log.info("replacing the workers%s", "" if self._options.reload else ", one by one")
        try:
            self._settings = credentials(self._options)
            if self._emits is not None:
                self._tokens = emit_tokens(self._options)
        except UsageError as error:
            log.error("%s: the workers stay as they are", error)
            return
        for group in groups:
            if not all(await asyncio.gather(*map(self._replace, group))):
                log.error(
                    "the successor of %s cannot start: those that serve stay", self._slots[group[0]].node
                )
                return
        log.info("all workers are replaced")

    async def _replace(self, index: int) -> bool:
        """Start a successor beside a worker, then drain the old one.

        Return False if the successor cannot start.
        """
        old, new = self._slots[index], self._make_slot(index)
        if not await self._starts(new):
            del self._keepers[new]
            return False
        self._slots[index] = new
        old.retire()
        await asyncio.wait([self._keepers[old]])
        self._keepers.pop(old).result()
        return True

    def _stop(self) -> None:
        log.info("stopping")
        self._stopping.signalled()

    def _hang_up(self) -> None:
        if self._terminal.is_gone():
            self._stop()
        else:
            self._reload.set()

    def _drain(self) -> None:
        log.info("stopping: asked to drain")
        self._stopping.drain()
