"""``BridgeManager``: a node of our cluster without clients that hears what all others say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from socketio_cluster.manager.bridge.bridge_answering import BridgeAnswering
from socketio_cluster.manager.bridge.commands import Whom
from socketio_cluster.manager.bus import messages
from socketio_cluster.manager.bus.messages import Message
from socketio_cluster.manager.bus.query_messages import Finding, Query, ServerEvent
from socketio_cluster.manager.client_manager import ClusterManager
from socketio_cluster.manager.queries.queries import Queries
from socketio_cluster.manager.queries.replies import NO_ANSWER
from socketio_cluster.manager.queries.socket_info import SocketInfo

Request = messages.Enter | messages.Leave | messages.Close | messages.Disconnect


class Hearer(Protocol):
    """What passes on the messages of our nodes."""

    def heard_event(self, origin: str, message: messages.Emit | messages.SelectiveEmit) -> None:
        """Handle an emit."""

    def heard_query(self, origin: str, query: Query) -> None:
        """Handle a question to all nodes, which may ask to do something to their clients."""

    def foreign_clients(self, whom: Whom) -> AsyncIterator[SocketInfo]:
        """Yield the clients of the foreign cluster. Raises ``Failed``."""

    async def heard_request(self, request: Request) -> str:
        """Carry out what another node asks about clients that are not of our cluster. Returns why not."""


class BridgeManager(ClusterManager):
    """The client manager of a bridge. ``url`` and ``options`` are those of ``ClusterManager``."""

    _is_bridge = True
    hearer: Hearer

    def _new_node(self) -> None:
        super()._new_node()
        self.queries = Queries(self.node, None)  # It does not ask itself: its clients are those who ask.

    def new_answering(self) -> BridgeAnswering:
        """Make what answers questions of our nodes, with the clients of the foreign cluster."""
        return BridgeAnswering(self)

    def heard(self, origin: str, message: Message) -> None:
        """Handle a message of another node."""
        match message:
            case messages.Emit() | messages.SelectiveEmit():
                self.hearer.heard_event(origin, message)
            case messages.Enter() | messages.Leave() | messages.Close() | messages.Disconnect():
                self.spawn(self._pass_on(origin, message))
            case Query():
                self.hearer.heard_query(origin, message)
                self._answer_query(origin, message)
            case _:
                super().heard(origin, message)

    def _answer_query(self, origin: str, query: Query) -> None:
        """Answer as a node without clients. No handler of a server event is missed on it."""
        if not isinstance(query.question, ServerEvent):
            super().heard(origin, query)
        elif query.request != NO_ANSWER:
            self.node.post(Finding(query.request, [], last=True), self.node.channels.inbox(origin))

    async def _pass_on(self, origin: str, request: Request) -> None:
        self.remote.reply(origin, request.request, await self.hearer.heard_request(request))

    def answer(self, node: str, message: messages.Ack) -> None:
        """Send a client's answer to the node that has asked. Raises ``EventTooLarge``."""
        self.node.post(message, self.node.channels.inbox(node))

    async def has(self, namespace: str, sid: str) -> bool:
        """Whether a sid is that of a client of our cluster, also of one that is away and may come back."""
        if self.node.knows(self.remote.owner_of(sid) or ""):
            return True
        if self.recovery is None:
            return False
        here = await self.remote.locate(namespace, sid)
        return not here or self.node.knows(self.remote.owner_of(sid) or "")
