"""A Flask-SocketIO node with the face of ``tests.harness.Node``, so that it can take the same tests."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import threading

from flask import Flask
from flask_socketio import SocketIO
from werkzeug.serving import make_server

from socketio_cluster import SyncClusterManager
from tests.harness import Node, eventually


class WebServer:
    """Werkzeug's threaded server on a free port."""

    def __init__(self, app):
        self._server = make_server("127.0.0.1", 0, app, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def stop(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class ThreadedNode(Node):
    """The node of a Flask application; ``sio`` is its server, awaited in a thread."""

    def __init__(self, bus_url, prefix, *, serializer="default", server_options=None, **manager_options):
        self._make(bus_url, prefix, serializer, server_options, manager_options)
        self.sio = Awaited(self.socketio.server)
        self.log = []
        self._hear()

    @classmethod
    def alone(cls):
        """A node without a bus, for tests without an event loop."""
        node = cls.__new__(cls)
        node._make(None, None, "default", {}, {})
        return node

    def _make(self, bus_url, prefix, serializer, server_options, manager_options):
        self.manager = SyncClusterManager(bus_url, prefix=prefix, **manager_options)
        self.app = Flask("node")
        self.socketio = SocketIO(
            self.app,
            client_manager=self.manager,
            async_mode="threading",
            serializer=serializer,
            **(server_options or {}),
        )

    def _hear(self):
        for namespace in ("/", "/chat"):
            self.sio.on("connect", self._connect, namespace=namespace)
            self.sio.on("disconnect", self._disconnect, namespace=namespace)
            self.sio.on("*", self._event, namespace=namespace)

    async def start(self):
        await asyncio.to_thread(self.manager.start)
        self.server = WebServer(self.app)
        self.url = self.server.url
        self.serving = True

    async def stop(self):
        await asyncio.to_thread(self.server.stop)
        await asyncio.to_thread(self.manager.leave)


class Awaited:
    """A threaded server whose calls can be awaited, and whose handlers may be coroutine functions."""

    def __init__(self, server):
        self._server = server
        self._loop = asyncio.get_running_loop()

    def __getattr__(self, name):
        method = getattr(self._server, name)
        if name not in ("emit", "send", "call", "enter_room", "leave_room", "close_room", "disconnect"):
            return method
        return functools.partial(self._wait, method)

    def on(self, event, handler, namespace=None):
        self._server.on(event, self._blocking(handler), namespace=namespace)

    def event(self, handler):
        self.on(handler.__name__, handler)

    async def _wait(self, method, *args, callback=None, **options):
        if callback is not None:
            options["callback"] = self._blocking(callback)
        return await asyncio.to_thread(method, *args, **options)

    def _blocking(self, handler):
        """The handler as a thread runs it: on the loop of the test, waited for."""

        async def run(*args):
            result = handler(*args)
            return await result if inspect.isawaitable(result) else result

        @functools.wraps(handler)
        def wait(*args):
            return asyncio.run_coroutine_threadsafe(run(*args), self._loop).result()

        return wait


@contextlib.asynccontextmanager
async def mixed(kinds, bus_url, prefix, **options):
    """Nodes of the given classes on one bus, that all see each other."""
    nodes = [kind(bus_url, prefix, **options) for kind in kinds]
    started = []
    try:
        for node in nodes:
            await node.start()
            started.append(node)
        everyone = {node.manager.node_id for node in nodes}
        await eventually(lambda: all(n.manager.ready and everyone <= set(n.manager.nodes()) for n in nodes))
        yield nodes
    finally:
        await asyncio.gather(*(node.stop() for node in started))
