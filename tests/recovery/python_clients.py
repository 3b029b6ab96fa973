"""The cluster's own Python clients, with asyncio and with threads, behind the interface of the others."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial

import socketio_cluster
from tests.harness import SECONDS, Client

SOON = {"reconnection_delay": 0.05, "reconnection_delay_max": 0.2, "randomization_factor": 0}


class OwnClient(Client):
    """A client that comes back by itself; ``connects`` says whether it was recovered, each time."""

    def __init__(self, kind, serializer="default", namespaces=("/",), **options):
        super().__init__()
        self.kind = kind
        self.namespaces = list(namespaces)
        self.connects = asyncio.Queue()
        self.loop = asyncio.get_running_loop()
        self.sio = getattr(socketio_cluster, kind)(
            serializer=serializer, handle_sigint=False, **{**SOON, **options}
        )
        for namespace in self.namespaces:
            self.sio.on("connect", partial(self._connected, namespace), namespace=namespace)
            self.sio.on("disconnect", self._lost, namespace=namespace)
            self.sio.on("*", self._event, namespace=namespace)

    @property
    def sid(self):
        return self.sio.get_sid(self.namespaces[0])

    @property
    def pid(self):
        """Its private id in the first namespace."""
        return self.sio._sessions._sessions[self.namespaces[0]].pid

    def _connected(self, namespace):
        self._put(self.connects, self.sio.get_recovered(namespace))

    def _event(self, event, *args):
        self._put(self.events, (event, list(args)))
        return args

    def _put(self, queue, item):
        self.loop.call_soon_threadsafe(queue.put_nowait, item)

    def _lost(self, reason):
        self.loop.call_soon_threadsafe(self.lost, reason)

    async def _run(self, function, *args, **options):
        if self.kind == "AsyncClient":
            return await function(*args, **options)
        return await asyncio.to_thread(function, *args, **options)

    async def open(self, url, **options):
        await self._run(self.sio.connect, url, namespaces=self.namespaces, **options)

    async def close(self):
        await self._run(self.sio.shutdown)

    async def emit(self, event, *args):
        await self._run(self.sio.emit, event, args, namespace=self.namespaces[0])

    async def away(self):
        """Return when the client has noticed that its connection is lost."""
        await asyncio.wait_for(self.gone.wait(), SECONDS)
        self.gone.clear()

    async def call(self, event, *args):
        """Call the server and return what its handler returns."""
        return await self._run(self.sio.call, event, args, timeout=SECONDS, namespace=self.namespaces[0])

    async def came_back(self):
        """Whether the client was recovered, when it has connected again in one namespace."""
        return await asyncio.wait_for(self.connects.get(), SECONDS)

    async def take(self, *events):
        """Take the next events, each a name and arguments, which must be these and have no others.

        Handlers of threads may overtake each other, so there the order is not looked at.
        """
        got = [await self.next_any() for _ in events]
        due = [(name, list(args)) for name, *args in events]
        if self.kind == "Client":
            got.sort(key=repr)
            due.sort(key=repr)
        assert got == due

    async def fence(self, node):
        """Check that it gets nothing more than was taken."""
        await node.sio.emit("fence", to=self.sid, namespace=self.namespaces[0])
        await self.take(("fence",))
        assert self.events.empty()


@contextlib.asynccontextmanager
async def own_client(kind, door, *, transports=("websocket",), auth=None, **options):
    """A connected client that is closed in the end."""
    one = OwnClient(kind, **options)
    try:
        await one.open(door.url, transports=list(transports), auth=auth)
        for _ in one.namespaces:
            assert await one.came_back() is False
        yield one
    finally:
        await one.close()
