"""Several nodes in one event loop, and python-socketio clients of them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import uuid
from functools import partial
from pathlib import Path

import socketio
import uvicorn

import socketio_cluster
from socketio_cluster import ClusterManager
from socketio_cluster.cluster.http.entering import open_entrance
from socketio_cluster.cluster.http.front import FrontProtocol
from socketio_cluster.cluster.http.lane_protocol import LaneProtocol
from socketio_cluster.cluster.http.newcomers import Newcomers
from socketio_cluster.cluster.http.protocol import HttpStats
from socketio_cluster.cluster.lane.entrance import entrance
from socketio_cluster.cluster.lane.install import Lanes
from socketio_cluster.cluster.metrics.watch import Watching
from socketio_cluster.cluster.stack import Stack
from socketio_cluster.cluster.strict.gate import Strict

LANE = os.environ.get("TEST_LANE", "on") == "on"
"""Whether the nodes of these tests use the fast WebSocket lane."""

SECONDS = 15
"""How long anything in these tests may take before it counts as not happening."""


async def eventually(predicate, seconds=SECONDS):
    """Return once the predicate holds, fail when it does not within the given time."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not predicate():
        assert asyncio.get_running_loop().time() < deadline, f"not within {seconds} s: {predicate}"
        await asyncio.sleep(0.005)


class Server(uvicorn.Server):
    """A uvicorn server that leaves the signals of the test run alone, and soon sees that it is to stop."""

    @contextlib.contextmanager
    def capture_signals(self):
        yield

    async def main_loop(self):
        ticks = 0
        while not await self.on_tick(ticks // 10):
            await asyncio.sleep(0.01)
            ticks += 1


class Node:
    """A node: its manager, its AsyncServer, its uvicorn server, and a log of what its handlers saw.

    The log holds ``("connect", sid)``, ``("disconnect", sid, reason)`` and ``(event, sid, *args)``;
    every event is answered with its own arguments. A test may replace any of these handlers.
    """

    server_class = socketio.AsyncServer
    port = 0

    def __init__(self, bus_url, prefix, *, serializer="default", server_options=None, **manager_options):
        self.manager = ClusterManager(bus_url, prefix=prefix, **manager_options)
        self.sio = self.server_class(
            async_mode="asgi", client_manager=self.manager, serializer=serializer, **(server_options or {})
        )
        self.app = socketio.ASGIApp(self.sio)
        self.layers = []  # of a worker's, beside those that every node here has
        self.log = []
        for namespace in ("/", "/chat"):
            self.sio.on("connect", self._connect, namespace=namespace)
            self.sio.on("disconnect", self._disconnect, namespace=namespace)
            self.sio.on("*", self._event, namespace=namespace)

    def _connect(self, sid, environ, auth):
        self.log.append(("connect", sid))

    def _disconnect(self, sid, reason):
        self.log.append(("disconnect", sid, reason))

    def _event(self, event, sid, *args):
        self.log.append((event, sid, *args))
        return args

    @property
    def empty(self):
        """Nothing of any client is left on this node."""
        return not self.manager.rooms and not self.sio.environ

    async def start(self):
        listener = socket.create_server(("127.0.0.1", self.port))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            self.app,
            http=partial(FrontProtocol, Newcomers(HttpStats())) if LANE else "auto",
            ws=LaneProtocol if LANE else "websockets-sansio",
            ws_per_message_deflate=False,  # as in serve: a compressed connection would have no lane
            lifespan="off",
            log_level="warning",
            timeout_graceful_shutdown=1,
        )
        self.server = Server(config)
        await self.manager.start()
        self.lanes = Lanes(self.app)
        layers = [*self.layers, Watching(), *([self.lanes] if LANE else []), Strict()]
        Stack(layers).install([self.manager])
        self.serving = asyncio.create_task(self.server.serve(sockets=[listener]))
        await eventually(lambda: self.server.started or self.serving.done())
        if LANE:
            open_entrance(config, entrance)

    async def stop(self):
        self.server.should_exit = True
        await self.serving
        await self.manager.close()
        await self.sio.shutdown()


@contextlib.asynccontextmanager
async def three_nodes(bus_url, prefix, *, count=3, configure=None, settled=True, **options):
    """Nodes on one bus that all see each other; ``configure(node)`` runs before each one starts.

    ``settled=False`` does not wait for that: the bus may be away.
    """
    nodes = [Node(bus_url, prefix, **options) for _ in range(count)]
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(assert_no_task_of_the_manager, asyncio.all_tasks())
        stack.push_async_callback(stop_all, nodes)
        for node in nodes:
            if configure:
                configure(node)
            await node.start()
        everyone = {node.manager.node_id for node in nodes}
        if settled:
            await eventually(
                lambda: all(n.manager.ready and everyone <= set(n.manager.nodes()) for n in nodes)
            )
        yield nodes


async def stop_all(nodes):
    started = [node for node in nodes if hasattr(node, "serving")]
    await asyncio.gather(*(node.stop() for node in started))


def assert_no_task_of_the_manager(before):
    home = str(Path(socketio_cluster.__file__).parent / "manager")
    left = [task for task in asyncio.all_tasks() - before if getattr(task.get_coro(), "cr_code", None)]
    left = [task for task in left if task.get_coro().cr_code.co_filename.startswith(home)]
    assert not left, f"tasks outlive manager.close(): {left}"


class Refused(Exception):
    """The server answered CONNECT_ERROR; ``message`` and ``data`` are what it said."""

    def __init__(self, message, data=None):
        super().__init__(message)
        self.message = message
        self.data = data


class Client:
    """What the tests ask of a client, whichever library is behind it."""

    def __init__(self):
        self.events = asyncio.Queue()
        self.gone = asyncio.Event()
        self.reason = None

    async def next(self, event, timeout=SECONDS):
        """Give the arguments of the next event, which must be this one."""
        name, args = await self.next_any(timeout)
        assert name == event, f"{event!r} was due, {name!r} came with {args!r}"
        return args

    async def next_any(self, timeout=SECONDS):
        """Give the name and the arguments of the next event."""
        return await asyncio.wait_for(self.events.get(), timeout)

    def lost(self, reason):
        self.reason = reason
        self.gone.set()


class PythonClient(Client):
    """python-socketio's AsyncClient; it answers every event with its arguments unless ``reply`` is False."""

    def __init__(self, serializer, namespace, reply):
        super().__init__()
        self.namespace = namespace
        self.reply = reply
        self.refusal = None
        self.sio = socketio.AsyncClient(serializer=serializer, reconnection=False, handle_sigint=False)
        self.sio.on("*", self._event, namespace=namespace)
        self.sio.on("disconnect", self.lost, namespace=namespace)
        self.sio.on("connect_error", self._refused, namespace=namespace)

    @property
    def sid(self):
        return self.sio.get_sid(self.namespace)

    async def _event(self, event, *args):
        self.events.put_nowait((event, list(args)))
        if not self.reply:
            await self.gone.wait()
        return args

    def _refused(self, error=None):
        self.refusal = error if isinstance(error, dict) else {"message": error}

    async def open(self, url, transports, auth):
        try:
            await self.sio.connect(
                url, transports=transports, auth=auth, namespaces=[self.namespace], wait_timeout=SECONDS
            )
        except socketio.exceptions.ConnectionError as error:
            raise Refused(**(self.refusal or {"message": str(error)})) from error

    async def emit(self, event, *args):
        await self.sio.emit(event, args, namespace=self.namespace)

    async def call(self, event, *args):
        """Emit and give the list of the ack's arguments."""
        answer = asyncio.get_running_loop().create_future()
        await self.sio.emit(
            event, args, namespace=self.namespace, callback=lambda *values: answer.set_result(list(values))
        )
        return await asyncio.wait_for(answer, SECONDS)

    async def disconnect(self):
        self.gone.set()
        await self.sio.disconnect()


@contextlib.asynccontextmanager
async def client(
    node, *, transports=("websocket",), serializer="default", namespace="/", auth=None, reply=True
):
    """A connected python-socketio client; raises ``Refused`` when the server will not have it."""
    one = PythonClient(serializer, namespace, reply)
    try:
        await one.open(node.url, list(transports), auth)
        yield one
    finally:
        await one.disconnect()


async def fence(node, *clients, namespace="/"):
    """Check that what this node emitted so far has brought these clients nothing more than they took.

    What one task emits arrives in order, so whatever else the clients were sent comes before the mark.
    """
    mark = uuid.uuid4().hex
    for one in clients:
        await node.sio.emit("fence", mark, to=one.sid, namespace=namespace)
    for one in clients:
        assert await one.next("fence") == [mark]
