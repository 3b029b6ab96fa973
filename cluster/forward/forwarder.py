"""The forwarder stands before a Socket.IO server, and passes requests for sessions of other nodes to them.

The first 8 characters of a session id name its node. Requests without a session, or for a session of this
node, go to the server as usual; those for a node that is gone are answered with Engine.IO's "unknown
session".
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

from socketio_cluster.cluster.forward.forwarded_request import (
    REACH_SECONDS,
    ForwardedRequest,
    ForwardStats,
    Kind,
    Outcome,
)
from socketio_cluster.cluster.forward.greeting import Key
from socketio_cluster.cluster.forward.message_relay import MessageRelay
from socketio_cluster.cluster.forward.messages import ask_of, sid_in
from socketio_cluster.cluster.forward.pool import Pool
from socketio_cluster.cluster.forward.relay import join
from socketio_cluster.cluster.http.websocket import RELAY
from socketio_cluster.cluster.strict.answers import SESSION_UNKNOWN, send_answer
from socketio_cluster.manager.client_manager import ClusterManager
from socketio_cluster.manager.ids import node_of

NAME: Final = "forwarding"
ACQUAINTANCE: Final = 0.5
"""Seconds that a node that has just joined waits for the first heartbeats of the others."""


AsgiApp = Callable[[Any, Any, Any], Awaitable[Any]]


def install(manager: ClusterManager, stats: ForwardStats) -> Forwarder:
    """Put a forwarder before a server that gets its requests through ASGI."""
    forwarder = asgi_forwarder(manager, stats, manager.host.request.outermost)
    manager.host.request.put(NAME, lambda _: forwarder.handle_request)
    return forwarder


def asgi_forwarder(manager: ClusterManager, stats: ForwardStats, local: AsgiApp) -> Forwarder:
    """Make the forwarder of a server that gets its requests through ASGI."""
    unknown = partial(send_answer, manager.host, SESSION_UNKNOWN)
    return Forwarder(manager, stats, local=local, unknown=unknown)


class Forwarder:
    """Passes on the requests of one server.

    Args:
        manager: the node of the server.
        stats: the counters of the process.
        local: an ASGI application, by which the server answers for its own sessions.
        unknown: another one, which answers that a session is not known.
    """

    def __init__(
        self, manager: ClusterManager, stats: ForwardStats, *, local: AsgiApp, unknown: AsgiApp
    ) -> None:
        self.key = Key(manager.options.prefix, manager.options.secret)
        self._manager = manager
        self._stats = stats
        self._local = local
        self._unknown = unknown
        self._pools: dict[str, Pool] = {}
        self._told_gone = manager.node_gone
        manager.node_gone = self.node_gone  # type: ignore[method-assign]

    @property
    def node_id(self) -> str:
        """The id of the node whose sessions this server has."""
        return self._manager.node_id

    async def handle_request(self, scope: Any, receive: Any, send: Any) -> Any:
        """Serve a request here, or let the node of its session answer it."""
        kind = _kind(scope)
        node = node_of(sid_in(scope.get("query_string", b""))) if kind else None
        if kind is None or node is None or node == self.node_id:
            return await self._local(scope, receive, send)
        pool = await self._find(node)
        outcome, answered = Outcome.UNKNOWN, False
        if pool is not None and kind is Kind.WEBSOCKET:
            outcome = await self._relay(pool, scope, receive, send)
        elif pool is not None:
            forwarded = ForwardedRequest(pool, scope, receive, send)
            outcome = await forwarded.run()
            answered = forwarded.answered
        self._stats.count(kind, outcome, node)
        if outcome not in (Outcome.OK, Outcome.LEFT) and not answered:
            await self._unknown(scope, receive, send)
        return None

    async def answer(self, scope: Any, receive: Any, send: Any) -> None:
        """Let this server answer a request that another node has passed on; it is never passed on again."""
        self._stats.taken += 1
        await self._local(scope, receive, send)

    async def _relay(self, pool: Pool, scope: Any, receive: Any, send: Any) -> Outcome:
        try:
            # Each WebSocket gets a new line: the greeting on it shows that the node reacts.
            async with asyncio.timeout(REACH_SECONDS):
                line = await pool.connect()
        except OSError:
            return Outcome.UNREACHABLE
        pool.detach(line)
        detach_transport = scope.get("extensions", {}).get(RELAY)
        if detach_transport is None:  # Another server, or a middleware that has made a scope of its own.
            return await _relay_messages(MessageRelay(line, scope, receive, send))
        taken = detach_transport()
        if taken is None:
            line.close()
            return Outcome.LEFT
        client, connections = taken
        join(client, line.transport, ask_of(scope), connections)
        return Outcome.OK

    async def _find(self, node: str) -> Pool | None:
        """Return the pool of a live node; None when there is no such node."""
        pool = self._pools.get(node)
        if pool is not None:
            return pool
        if node not in self._manager.nodes() and self._manager.hears:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._manager.node.introduced(), ACQUAINTANCE)
        info = self._manager.nodes().get(node)
        if info is None:
            return None
        return self._pools.setdefault(node, Pool(info, self.key))

    def node_gone(self, node: str, *, died: bool) -> None:
        """End the requests that wait for a node that is gone, and forget the node."""
        self._told_gone(node, died=died)
        pool = self._pools.pop(node, None)
        if pool is not None:
            pool.close()

    def close(self) -> None:
        """Close all lines."""
        for pool in self._pools.values():
            pool.close()


async def _relay_messages(relay: MessageRelay) -> Outcome:
    try:
        async with asyncio.timeout(REACH_SECONDS):
            accepted = await relay.open()
    except OSError:
        relay.close()
        return Outcome.UNREACHABLE
    if not accepted:
        relay.close()
        return Outcome.REFUSED
    await relay.run()
    return Outcome.OK


def _kind(scope: Any) -> Kind | None:
    """Return the kind of a request; None for one that any node can answer, such as a browser's OPTIONS."""
    if scope["type"] == "websocket":
        return Kind.WEBSOCKET
    return {"GET": Kind.POLL, "POST": Kind.POST}.get(scope["method"])
