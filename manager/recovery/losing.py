"""``Losing``: tells clients that events were dropped which may have been for them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from socketio_cluster.manager.bus.messages import Dropped
from socketio_cluster.manager.clients.client import Client
from socketio_cluster.manager.errors import BrokerError
from socketio_cluster.manager.recovery.client_session import TRANSPORT_CLOSE
from socketio_cluster.manager.recovery.keeper import Keeper

if TYPE_CHECKING:
    from socketio_cluster.manager.client_manager import ClusterManager

logger = logging.getLogger("socketio_cluster.manager")


class Losing:
    """Ends the sessions of one node's clients that may miss dropped events.

    Args:
        manager: the manager of the clients.
        keeper: what the bus keeps.
    """

    def __init__(self, manager: ClusterManager, keeper: Keeper) -> None:
        self._manager = manager
        self._keeper = keeper

    def heard(self, origin: str, dropped: Dropped) -> None:
        """Handle what a node, perhaps this one, or an emitter says of the events that it has dropped.

        One node notes it for the clients that are away: the one that says so, or for an emitter each.
        """
        manager, channels = self._manager, frozenset(dropped.channels)
        clients = [client for client in manager.members.clients.values() if self._may_miss(client, channels)]
        if clients:
            logger.error(
                "node %s has dropped events: %d clients here have to begin anew", origin, len(clients)
            )
        for client in clients:
            assert client.session is not None
            client.session.over = True
            manager.spawn(manager.send_back(client.eio_sid, TRANSPORT_CLOSE))
        if origin == manager.node_id:
            manager.stats.gaps += 1
        if origin == manager.node_id or not manager.node.knows(origin):
            manager.spawn(self._note())

    def _may_miss(self, client: Client, channels: frozenset[str]) -> bool:
        """Whether a client that knows recovery is in any of these channels."""
        if client.session is None:
            return False
        names, namespace = self._manager.node.channels, client.namespace
        mine = {names.room(namespace, room) for room in (client.sid, *client.rooms)}
        return names.namespace(namespace) in channels or not mine.isdisjoint(channels)

    async def _note(self) -> None:
        try:
            await self._keeper.gap()
        except BrokerError as error:
            logger.debug("the history itself says that events are missing: %s", error)
