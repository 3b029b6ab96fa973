"""``TestCluster``: several nodes of an application in the event loop of a test, without a network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Any, ClassVar, Final, Self

from socketio_cluster.cluster.http.mounts import allow_mounts
from socketio_cluster.cluster.testing.client import TestClient
from socketio_cluster.cluster.testing.fresh import fresh_target
from socketio_cluster.cluster.testing.virtual_node import VirtualNode
from socketio_cluster.manager.brokers.memory import hub_of

START_SECONDS: Final = 10.0
"""How long the nodes may take to find each other. They need a few milliseconds."""

_numbers = count(1)


class TestCluster:
    """Nodes of one application, joined by a bus in memory. Its handlers and middlewares run as in production.

    Use it as ``async with TestCluster("shop.app:app") as cluster:``. Each node has an application of its own.
    Whatever bus the application names, its ``ClusterManager`` is on the one of this test.

    Args:
        app: the application's name, ``module:attribute``, of which each node imports a copy of its own; or a
            function without arguments that makes a server with a ``ClusterManager`` and returns the ASGI
            application.
        nodes: how many nodes.
    """

    __test__: ClassVar = False  # pytest takes each class of such a name for tests

    def __init__(self, app: str | Callable[[], Any], *, nodes: int = 2) -> None:
        self._make = app if callable(app) else lambda: fresh_target(app)
        self._count = nodes
        self._clients: list[TestClient] = []
        self.nodes: list[VirtualNode] = []
        """The nodes, once they have started."""

    async def __aenter__(self) -> Self:
        allow_mounts()
        url = f"memory://test-{next(_numbers)}"
        self._hub = hub_of(url)
        options = {"url": url, "recovery_url": None}
        try:
            for _ in range(self._count):
                self.nodes.append(VirtualNode(self._make, options))
                await self.nodes[-1].start()
            await self._introduce()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    async def connect(
        self,
        node: int = 0,
        *,
        namespace: str = "/",
        auth: dict[str, Any] | None = None,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        path: str = "/socket.io/",
    ) -> TestClient:
        """Connect a client to a node, counted from 0. It is disconnected at the end of the cluster.

        Raises ``socketio.exceptions.ConnectionRefusedError`` when the connect handler refuses, with its
        message and data in ``error_args``, and ``socketio.exceptions.ConnectionError`` when nobody serves
        Socket.IO at ``path``.
        """
        client = TestClient(self.nodes, namespace, path, query or {}, headers or {})
        await client.open(node, auth)
        self._clients.append(client)
        return client

    async def _introduce(self) -> None:
        """Wait until all nodes know each other."""
        everyone = {node.manager.node_id for node in self.nodes}
        async with asyncio.timeout(START_SECONDS):
            for node in self.nodes:
                while not everyone <= node.manager.nodes().keys():  # noqa: ASYNC110 - there is no event for it
                    await asyncio.sleep(0.001)

    async def _stop(self) -> None:
        for client in self._clients:
            await client.disconnect()
        for node in self.nodes:
            await node.stop()
