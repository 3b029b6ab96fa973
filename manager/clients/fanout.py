"""Delivers events to the clients of this node, and their answers to the callbacks."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Collection
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.clients.acks import AckWaiter
from socketio_cluster.manager.clients.client import Callback, Client
from socketio_cluster.manager.clients.outgoing import Outgoing
from socketio_cluster.manager.clients.packets import Encoded, with_ack_id
from socketio_cluster.manager.errors import FAILURES

if TYPE_CHECKING:
    from socketio_cluster.manager.client_manager import ClusterManager

logger = logging.getLogger("socketio_cluster.manager")


class Fanout:
    """Delivers events to the clients of one node."""

    __slots__ = ("_manager",)

    def __init__(self, manager: ClusterManager) -> None:
        self._manager = manager

    def deliver(
        self,
        encoded: Encoded,
        namespace: str,
        rooms: list[Room] | None,
        skip: Collection[str],
        callback: Callback | None = None,
    ) -> int:
        """Deliver an event to the clients of this node and return their number.

        Args:
            encoded: the packet.
            namespace: the namespace of the emit.
            rooms: the rooms of the emit; None means everybody in the namespace.
            skip: sids that do not get the event.
            callback: is called with the answer of each client.
        """
        clients = self._manager.members.members(namespace, rooms)
        if skip:
            clients = [client for client in clients if client.sid not in skip]
        if callback is None:
            self.send(clients, encoded, rooms)
        else:
            for client in clients:
                self.ask(client, encoded, rooms, callback)
        reached = len(clients)
        self._manager.stats.delivered += reached
        return reached

    def send(self, clients: Collection[Client], encoded: Encoded, rooms: list[Room] | None) -> None:
        """Hand an event without a callback to clients."""
        outgoing = Outgoing(encoded, rooms)
        for client in clients:
            client.send(outgoing)

    def ask(self, client: Client, encoded: Encoded, rooms: list[Room] | None, callback: Callback) -> None:
        """Hand an event to one client of this node, and keep the callback for its answer."""
        self._manager.expiry.start()
        acks = self._manager.client_acks
        ack_id = acks.expect(client, callback, time.monotonic(), encoded.ack_id)
        if isinstance(callback, AckWaiter):
            callback.on_end(lambda: acks.answer(client, ack_id))
        client.send(Outgoing(with_ack_id(self._manager.packet_class, encoded, ack_id), rooms))

    def answered(self, client: Client, ack_id: int | None, data: list[Any]) -> None:
        """Call the callback for a client's answer. An answer that no callback waits for is ignored."""
        pending = self._manager.client_acks.answer(client, ack_id) if ack_id is not None else None
        if pending is not None:
            self._manager.stats.ack_seconds.observe(time.monotonic() - pending.at)
            self.run_callback(pending.callback, data)

    def run_callback(self, callback: Callback, arguments: list[Any]) -> None:
        """Call a callback, and log the error if it raises one. An asynchronous one runs in its own task."""
        try:
            result = callback(*arguments)
        except FAILURES:
            logger.exception("the callback of an emit failed")
        else:
            if isawaitable(result):
                self._manager.spawn(_finish(result))


async def _finish(result: Awaitable[Any]) -> None:
    try:
        await result
    except FAILURES:
        logger.exception("the callback of an emit failed")
