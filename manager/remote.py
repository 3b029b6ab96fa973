"""``Remote``: sends emits and requests to the other nodes.

A sid names its node, so a message for one client goes to the inbox of that node. Each room has a channel,
which only nodes with clients in the room are subscribed to.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.bus.messages import (
    ClientRequest,
    Close,
    Disconnect,
    Emit,
    Enter,
    Leave,
    Reply,
    Taken,
)
from socketio_cluster.manager.bus.node import Node
from socketio_cluster.manager.bus.requests import ENDED, GONE, HERE, Requests
from socketio_cluster.manager.clients.acks import AckWaiter, RemoteAcks, seconds_of
from socketio_cluster.manager.clients.client import Callback
from socketio_cluster.manager.clients.packets import Encoded
from socketio_cluster.manager.errors import UNKNOWN_SID, NodeTimeout, refusal
from socketio_cluster.manager.ids import node_of
from socketio_cluster.manager.tasks import set_once

UNKNOWN_NODE_SECONDS: Final = 1.0
"""How long to wait for a node that is not known, because it may have started just now."""

MANY_CHANNELS: Final = 16
"""An event for more channels than this, or on several shards, goes once to its whole namespace.

Nodes without a recipient drop it.
"""


IsClient = Callable[[str, Room], bool]
Place = tuple[str, Room]
"""A room and its namespace."""


def serves_nobody(namespace: str, room: Room) -> bool:
    """Return False: no room is a client's own, because this process serves no clients."""
    return False


class Remote:
    """Sends emits and requests to the other nodes.

    Args:
        node: the node of this process.
        is_client: tells whether a room of a namespace is the own room of a client of this node.
    """

    def __init__(self, node: Node, is_client: IsClient = serves_nobody) -> None:
        self._node = node
        self._is_client = is_client
        self._pending = Requests()
        self.acks = RemoteAcks(node.options.ack_seconds)

    def emit(
        self,
        encoded: Encoded,
        namespace: str,
        rooms: list[Room] | None,
        skip: list[str],
        callback: Callback | None = None,
    ) -> int:
        """Publish an event to the nodes that may have recipients.

        Returns the number of the envelope, or 0 if no other node can have a recipient. Raises
        ``EventTooLarge`` for an event that the bus or the buffer cannot hold.
        """
        channels = self.route(namespace, rooms)
        if not channels:
            return 0
        request = self.expect(callback, rooms) if callback is not None else 0
        patience = seconds_of(callback, 0) if callback is not None else 0
        parts, text, ack_at, ack_id = encoded.parts, encoded.text, encoded.ack_at, encoded.ack_id
        message = Emit(namespace, rooms, skip, parts, text, request, ack_at, ack_id, patience)
        try:
            return self._node.post(message, *channels)
        except BaseException:
            self.acks.forget(request)
            raise

    def expect(self, callback: Callback, rooms: list[Room] | None) -> int:
        """Keep the callback of an emit to these rooms, and return the number for the answers to it."""
        single = self.owner_of(rooms[0]) if rooms is not None and len(rooms) == 1 else None
        if single == self._node.id:
            single = None  # This is a room with the form of a sid of this node.
        number = self.acks.expect(callback, single, time.monotonic())
        if isinstance(callback, AckWaiter):
            callback.on_end(lambda: self.acks.forget(number))
        if single is not None and self._may_be_gone(single):
            asyncio.get_running_loop().call_later(UNKNOWN_NODE_SECONDS, self._give_up, number, single)
        return number

    def route(self, namespace: str, rooms: list[Room] | None) -> list[str]:
        """Return the channels that reach every other node with a recipient, and bridges."""
        channels = self._route(namespace, rooms)
        if not (channels and self._node.bridged) or self._all_known(rooms):
            return channels
        return [*channels, self._node.channels.bridges_beside(channels[0])]

    def _all_known(self, rooms: list[Room] | None) -> bool:
        """Whether these are clients of live nodes, so that no bridge has any of them."""
        return rooms is not None and all(self._node.knows(self.owner_of(room) or "") for room in rooms)

    def _route(self, namespace: str, rooms: list[Room] | None) -> list[str]:
        names = self._node.channels
        if rooms is None:
            return [names.namespace(namespace)]
        if len(rooms) == 1 and node_of(rooms[0]) is None:
            return [names.room(namespace, rooms[0])]
        channels: dict[str, None] = {}
        for room in rooms:
            owner = self.owner_of(room)
            own = owner == self._node.id
            if owner is not None and self._is_client(namespace, room):
                continue
            if owner is not None and not own:
                channels[names.inbox(owner)] = None  # That node passes the event on if it has no such client.
            if owner is None or own or not self._node.knows(owner):
                # 20 characters may be a sid or a room's name. Nobody reads the channel that is wrong.
                channels[names.room(namespace, room)] = None
        if len(channels) <= MANY_CHANNELS and names.together(channels):
            return list(channels)
        # One copy for each channel, with all names in it, would cost the square of their number. On several
        # shards a client in two of the rooms would get it twice. So it goes to the namespace. The inboxes
        # get their copies: such a node may have no client in the namespace, but has to pass the event on.
        owners = [channel for channel in channels if names.is_inbox(channel)]
        return [names.namespace(namespace), *owners[:MANY_CHANNELS]]

    def owner_of(self, room: Room) -> str | None:
        """Return the node that has a client, or None for a room that does not have the form of a sid."""
        return node_of(room)

    async def locate(self, namespace: str, sid: Room) -> bool:
        """Find out which node has a client. Here that is always the one that the sid names."""
        return True

    async def find(self, namespace: str, sid: str) -> str | None:
        """Return the node that has a client, or that its sid names; None for what is no sid."""
        if self._is_client(namespace, sid):
            return self._node.id
        await self.locate(namespace, sid)
        return self.owner_of(sid)

    async def is_client(self, namespace: str, room: Room) -> bool:
        """Tell whether a room is a client's own. The node that it names is asked. Raises ``NodeTimeout``."""
        if self._is_client(namespace, room):
            return True
        if not (isinstance(room, str) and any(map(self._node.knows, self._owner(room)))):
            return False
        try:
            await self.enter(namespace, room, room)  # A client is always in its own room, so nothing changes.
        except ValueError:
            return False
        return True

    async def enter(self, namespace: str, sid: str, room: Room, history: int = 0) -> bool:
        """Put a client of another node into a room, where it gets the last ``history`` events.

        Returns False if the client has come to this node meanwhile, which has to put it there itself. Raises
        ``ValueError`` for an unknown sid or a room that it cannot enter, ``TooManyRooms`` (a ``ValueError``
        too) at its limit, and ``NodeTimeout``.
        """
        error = await self._enter(namespace, sid, room, history)
        if error and error != HERE:
            raise refusal(UNKNOWN_SID if error == GONE else error)
        return error != HERE

    async def leave(self, namespace: str, sid: str, room: Room) -> bool:
        """Take a client of another node out of a room. Returns as ``enter``. Raises ``NodeTimeout``."""
        return await self._leave(namespace, sid, room) != HERE

    async def disconnect(self, namespace: str, sid: str) -> bool:
        """Disconnect a client of another node. Returns as ``enter``. Raises ``NodeTimeout``."""
        return await self._disconnect(namespace, sid) != HERE

    async def close(self, namespace: str, room: Room) -> None:
        """Close a room on all other nodes. Raises ``NodeTimeout``."""
        others = [node for node in self._node.nodes if node != self._node.id]
        await self._ask(others, lambda number: Close(number, namespace, room), (namespace, room))

    async def take(self, node: str, namespace: str, sid: str) -> bool:
        """Have a node drop a client that has come back to this one. Raises ``NodeTimeout``.

        Returns False if the session has ended there.
        """
        replies = await self._ask([node], lambda number: Taken(number, namespace, sid))
        return ENDED not in replies.values()

    def reply(self, origin: str, request: int, error: str = "") -> None:
        """Send the reply to a request of another node. An empty ``error`` means that the request was done."""
        self._node.post(Reply(request, error), self._node.channels.inbox(origin))

    def replied(self, origin: str, reply: Reply) -> None:
        """Handle a reply of another node."""
        self._pending.reply(reply.request, origin, reply.error)

    def node_gone(self, node: str) -> None:
        """Stop waiting for a node that has left or died."""
        self._pending.node_gone(node)
        self.acks.node_gone(node)

    def _may_be_gone(self, node: str) -> bool:
        """Whether a node is not known, nor a bridge that may know it."""
        return not (self._node.knows(node) or self._node.bridges)

    def _give_up(self, number: int, node: str) -> None:
        """Take a client for gone whose node has not turned up, once this node knows who is there."""
        if not (self._may_be_gone(node) and self.acks.waits(number, time.monotonic())):
            return
        if self._node.acquainted:
            self.acks.gone(number)
        else:
            asyncio.get_running_loop().call_later(UNKNOWN_NODE_SECONDS, self._give_up, number, node)

    def _owner(self, sid: str) -> list[str]:
        """Return the nodes to ask about a client of another node: its own, or bridges if unknown."""
        owner = self.owner_of(sid)
        if owner is not None and self._node.bridges and not self._node.knows(owner):
            return self._node.bridges
        return [owner] if owner is not None and owner != self._node.id else []

    async def _enter(self, namespace: str, sid: str, room: Room, history: int) -> str:
        request = partial(Enter, namespace=namespace, sid=sid, room=room, history=history)
        return await self._request(sid, request, (namespace, room))

    async def _leave(self, namespace: str, sid: str, room: Room) -> str:
        request = partial(Leave, namespace=namespace, sid=sid, room=room)
        return await self._request(sid, request, (namespace, room))

    async def _disconnect(self, namespace: str, sid: str) -> str:
        return await self._request(sid, partial(Disconnect, namespace=namespace, sid=sid))

    async def _request(
        self, sid: str, request: Callable[[int], ClientRequest], place: Place | None = None
    ) -> str:
        """Return what the node of a client replies, an empty text for done, or ``GONE`` without a reply."""
        replies = await self._ask(self._owner(sid), request, place)
        return next(iter(replies.values()), GONE)

    async def _ask(
        self, nodes: Iterable[str], request: Callable[[int], ClientRequest], place: Place | None = None
    ) -> dict[str, str]:
        """Send a request to nodes and wait for all replies. Returns each node's error text, empty for none.

        What concerns a room goes the way of the room's events, so that it comes after those emitted before.
        A missing reply of a node that does not turn up is no error. Raises ``NodeTimeout`` if a known node
        does not reply, or the bus is away. If this is cancelled, the request may still be carried out.
        """
        nodes = list(nodes)
        if not nodes or self._node.alone:
            return {}
        answer: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()
        number = self._pending.open(nodes, partial(set_once, answer))
        self._node.post(request(number), *(self._inbox(node, place) for node in nodes))
        seconds = self._node.options.request_seconds
        try:
            async with asyncio.timeout(seconds):
                known = all(map(self._node.knows, nodes)) or await self._turn_up(nodes, answer)
                if not known and (self._node.hears if place is None else self._node.ready):
                    return {}
                return await answer
        except TimeoutError:
            why = "".join(f": {name} is away" for name in self._node.away)
            raise NodeTimeout(f"not confirmed by node {', '.join(nodes)} within {seconds:g} s{why}") from None
        finally:
            self._pending.close(number)

    async def _turn_up(self, nodes: list[str], answer: asyncio.Future[dict[str, str]]) -> bool:
        """Whether nodes of which one is not known reply, or are all known after a while.

        That one may have started just now, or may be long gone: it gets a second. If this node has joined the
        bus just now, it may not know yet who is there.
        """
        await asyncio.wait([answer], timeout=UNKNOWN_NODE_SECONDS)
        if not (answer.done() or self._node.acquainted):
            either: list[asyncio.Future[Any]] = [answer, asyncio.create_task(self._node.introduced())]
            try:
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            finally:
                either[1].cancel()
        return answer.done() or all(map(self._node.knows, nodes))

    def _inbox(self, node: str, place: Place | None) -> str:
        names = self._node.channels
        return names.inbox(node) if place is None else names.inbox_beside(node, *place)
