"""One worker: a process with one event loop that serves the application through uvicorn."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import signal
import socket
from dataclasses import asdict
from types import FrameType

import uvicorn

from socketio_cluster.cluster import logs
from socketio_cluster.cluster.client_address import Addresses
from socketio_cluster.cluster.drain import Aging, Drain
from socketio_cluster.cluster.emit.port import open_emit_port
from socketio_cluster.cluster.errors import UsageError
from socketio_cluster.cluster.forward.forwarding import Forwarding
from socketio_cluster.cluster.http.ending import stop_accepting
from socketio_cluster.cluster.http.entering import open_entrance
from socketio_cluster.cluster.http.lane_protocol import LaneProtocol
from socketio_cluster.cluster.http.mounts import allow_mounts
from socketio_cluster.cluster.http.protocol import HttpStats
from socketio_cluster.cluster.lane.entrance import entrance
from socketio_cluster.cluster.lane.install import Lanes
from socketio_cluster.cluster.limits.limits import Limiter
from socketio_cluster.cluster.loop import WorkerLoop
from socketio_cluster.cluster.metrics.watch import Watching
from socketio_cluster.cluster.metrics.worker import Metrics
from socketio_cluster.cluster.probes.status import status_of
from socketio_cluster.cluster.probes.status_socket import StatusSocket
from socketio_cluster.cluster.sockets.accepting import several
from socketio_cluster.cluster.sockets.descriptors import make_room
from socketio_cluster.cluster.stack import Layer, Stack, served
from socketio_cluster.cluster.strict.gate import Strict
from socketio_cluster.cluster.supervisor.lifeline import Lifeline, WorkerOptions, receive
from socketio_cluster.cluster.target import begin_in_application, load_target
from socketio_cluster.cluster.uvicorn_config import WEBSOCKET_BYTES, uvicorn_config
from socketio_cluster.cluster.wrong_setup import check_interface, outsiders, own_buses, usage_error
from socketio_cluster.manager.client_manager import active_managers
from socketio_cluster.manager.errors import SettingError
from socketio_cluster.manager.options import give_settings

log = logging.getLogger("socketio_cluster.cluster")

FAILED_START = 3
# Seconds for which a replaced worker still serves requests on connections that it has just accepted.
REPLACED_SECONDS = 1.0
# New objects after which the garbage collector looks at them. Those of connections stay: with Python's 700 a
# quarter of a connect's time went into that. Cycles of objects that nobody uses wait a little longer for it.
NEW_OBJECTS = 10_000


class WorkerServer(uvicorn.Server):
    """A uvicorn server that starts the cluster's managers before it accepts, and drains before it stops.

    It reports through `lifeline` when it accepts.
    """

    def __init__(
        self, config: uvicorn.Config, options: WorkerOptions, lifeline: Lifeline, http_stats: HttpStats
    ) -> None:
        super().__init__(config)
        self._options = options
        self._lifeline = lifeline
        self._http_stats = http_stats
        self._loop = asyncio.get_running_loop()
        self.drain = Drain(
            self,
            active_managers,
            delay=options.serve.drain_delay,
            window=options.serve.drain_window,
            drained=lifeline.drained,
        )
        self._aging = Aging(options.serve.max_age) if options.serve.max_age is not None else None
        self._limiter = Limiter(options.serve, active_managers)
        self.forwarding = Forwarding(options.internal, config, self.server_state)
        self._metrics = Metrics(
            options.node, active_managers, self.forwarding.stats, http_stats, lambda: self.drain.begun
        )
        self._status_socket = StatusSocket({"status": self._status, "metrics": self._metrics.exposition})
        self._lanes = Lanes(config.app) if config.ws is LaneProtocol else None
        layers: list[Layer | None] = [
            Addresses(),
            self.forwarding,
            self._limiter,
            Watching(),
            self._lanes,
            Strict(),
            self._aging,
        ]
        self._stack = Stack([layer for layer in layers if layer is not None])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Join the cluster, let uvicorn start the application and accept, then tell the supervisor."""
        await self._start_managers()
        await super().startup(sockets)
        await self._start_managers()  # the application may have made some in its lifespan
        await self._status_socket.open(self._options.internal.status_socket)
        open_entrance(self.config, entrance)
        if self._options.emit is not None and self.started:
            await open_emit_port(self._options.emit, self, self._http_stats)
        if self.started:
            gc.collect()
            for sentence in outsiders(several=self._options.serve.workers > 1):
                log.warning("%s", sentence)
            for sentence in own_buses(active_managers()):
                log.info("%s", sentence)
            gc.freeze()  # these objects stay, so later collections need not visit them
            self._lifeline.ready(_node_id() or "-", self._replaced)

    async def _start_managers(self) -> None:
        managers = active_managers()
        self._stack.install(managers)
        # It listens first, so that nodes that hear of this node can reach it.
        await self.forwarding.listen()
        await asyncio.gather(*(manager.start() for manager in managers))
        self.config.ws_max_size = max(
            [WEBSOCKET_BYTES, *(one.host.engine.max_http_buffer_size for one in served(managers))]
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more clients or nodes, and let uvicorn end the connections."""
        self.forwarding.stop_accepting()
        self._end_connections()
        await super().shutdown(sockets)

    def _end_connections(self) -> None:
        """End each connection, as uvicorn does next.

        In uvicorn, an error of one would keep the others open.
        """
        for connection in list(self.server_state.connections):
            try:
                connection.shutdown()
            except Exception:
                log.exception("a connection could not be ended")
                self.server_state.connections.discard(connection)

    async def close(self) -> None:
        """Leave the cluster. Errors of a manager are logged, not raised."""
        self._status_socket.close()
        self._metrics.close()
        if self._aging is not None:
            await self._aging.close()
        await self.forwarding.close()
        managers = active_managers()
        for outcome in await asyncio.gather(
            *(manager.close() for manager in managers), return_exceptions=True
        ):
            if isinstance(outcome, Exception):
                log.error("a manager did not close", exc_info=outcome)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Drain at SIGTERM; stop at SIGINT, or without a supervisor, after a drain that takes no time.

        uvicorn's own handler would raise the signal again at the end, and the exit hooks would not run.
        """
        if not self.started:
            self.should_exit = True
            return
        soon = sig == signal.SIGINT or self._lifeline.orphaned
        self._loop.call_soon_threadsafe(self.drain.hurry if soon else self.drain.begin)

    def _replaced(self) -> None:
        """Leave new connections to the successor, which has the same sockets, and drain."""
        stop_accepting(self)
        self.drain.begin(delay=0.0 if self._options.serve.reload else REPLACED_SECONDS)

    def _status(self) -> bytes:
        managers = active_managers()
        connections = self._limiter.connections()
        soft, draining = self._options.serve.soft_connections, self.drain.begun
        status = status_of(managers, connections=connections, soft=soft, draining=draining)
        return json.dumps(asdict(status)).encode()


def run_worker(lifeline: int) -> int:
    """Serve until the supervisor asks to stop; return the exit code (3: the application could not start).

    `lifeline` is the file descriptor of the socket that ties this process to its supervisor.
    """
    make_room()
    sock = socket.socket(fileno=lifeline)
    options = receive(sock)
    # A SIGHUP to all processes of a service is meant for the supervisor. Programs would inherit SIG_IGN.
    signal.signal(signal.SIGHUP, lambda *_: None)
    logs.set_up(options.node, options.serve, requests=options.serve.access_log)
    give_settings(options.settings)
    gc.set_threshold(NEW_OBJECTS)  # an application may set it otherwise when it is imported
    line = Lifeline(sock, options)
    with asyncio.Runner(loop_factory=WorkerLoop) as runner:
        try:
            return runner.run(_serve(options, line))
        except SettingError as error:
            raise UsageError(str(error)) from None


async def _serve(options: WorkerOptions, lifeline: Lifeline) -> int:
    allow_mounts()
    serve = options.serve
    try:
        # This is inside the loop, as in uvicorn: some applications make tasks while they are imported.
        app = load_target(serve.app, serve.app_dir, factory=serve.factory)
        check_interface(app, serve.app)
    except UsageError:
        raise
    except SettingError as error:
        raise usage_error(error) from None
    except Exception as error:
        begin_in_application(error)
        log.exception("%s cannot be imported", serve.app)
        return FAILED_START
    logs.take_over()
    logs.stamp(options.node, _node_id())
    http_stats = HttpStats()
    server = WorkerServer(uvicorn_config(app, serve, http_stats), options, lifeline, http_stats)
    try:
        await server.serve([one for fd in options.fds for one in several(socket.socket(fileno=fd))])
    finally:
        # It comes after the application's own shutdown, so its last emits still reach the other nodes.
        await server.close()
    return 0 if server.started else FAILED_START


def _node_id() -> str:
    """Return the id of the application's node; an empty text for an application without Socket.IO."""
    return next((manager.node_id for manager in active_managers()), "")
