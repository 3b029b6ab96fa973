"""``LocatingRemote``: sends requests about clients that have come back elsewhere, or are away."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.bus.node import Node
from socketio_cluster.manager.bus.store import Change, Release
from socketio_cluster.manager.errors import BrokerError, NodeTimeout
from socketio_cluster.manager.ids import node_of
from socketio_cluster.manager.recovery.client_session import write_room
from socketio_cluster.manager.recovery.keeper import Keeper
from socketio_cluster.manager.remote import IsClient, Remote, serves_nobody

MOST_MOVED: Final = 10_000
"""The most clients whose node is remembered. It is asked for again before each request."""


class LocatingRemote(Remote):
    """A ``Remote`` that asks the bus where a client is. The session of an absent client is changed there.

    If the bus is away, the node that the sid names is asked, as ever.

    Args:
        node: the node of this process.
        keeper: what the bus keeps.
        is_on: tells whether clients can come back at all.
        is_client: as for ``Remote``.
    """

    def __init__(
        self,
        node: Node,
        keeper: Keeper,
        is_on: Callable[[], bool] = lambda: True,
        is_client: IsClient = serves_nobody,
    ) -> None:
        super().__init__(node, is_client)
        self._keeper = keeper
        self._is_on = is_on
        self._moved: OrderedDict[str, str] = OrderedDict()

    def owner_of(self, room: Room) -> str | None:
        """Return the node that has a client, as far as that was asked for, or else the one its sid names."""
        moved = self._moved.get(room) if isinstance(room, str) else None
        return moved or super().owner_of(room)

    async def locate(self, namespace: str, sid: Room) -> bool:
        """Find out which node has a client, for the requests that follow. Returns False if it is away."""
        known = not isinstance(sid, str) or node_of(sid) is None or self._is_client(namespace, sid)
        if known or not self._is_on():
            return True
        assert isinstance(sid, str)
        try:
            where = await self._keeper.where(sid, namespace)
        except BrokerError:
            return True
        if where and where != node_of(sid):
            self._moved[sid] = where
            self._moved.move_to_end(sid)
            while len(self._moved) > MOST_MOVED:
                self._moved.popitem(last=False)
        else:
            self._moved.pop(sid, None)
        return where != ""

    async def enter(self, namespace: str, sid: str, room: Room, history: int = 0) -> None:
        """Put a client into a room, also one that is away, which then gets no history.

        Raises what ``Remote.enter`` raises.
        """
        entered = [write_room(room)] if room != sid else []  # A client is always in its own room.
        channels = self._node.channels.rooms(namespace)
        if await self._here(namespace, sid, Change(sid, "", entered, channels=channels)):
            await super().enter(namespace, sid, room, history)

    async def leave(self, namespace: str, sid: str, room: Room) -> None:
        """Take a client out of a room, also one that is away. Raises ``NodeTimeout``."""
        channels = self._node.channels.rooms(namespace)
        if await self._here(namespace, sid, Change(sid, "", left=[write_room(room)], channels=channels)):
            await super().leave(namespace, sid, room)

    async def disconnect(self, namespace: str, sid: str) -> None:
        """Disconnect a client. One that is away cannot come back. Raises ``NodeTimeout``."""
        if await self._here(namespace, sid, Release(sid, "", 0)):
            await super().disconnect(namespace, sid)

    async def close(self, namespace: str, room: Room) -> None:
        """Close a room on all nodes, and for all clients that are away. Raises ``NodeTimeout``."""
        await super().close(namespace, room)
        if self._is_on():
            await self._numbered()
            await self._keeper.close(self._node.channels.room(namespace, room))

    async def _here(self, namespace: str, sid: str, change: Change | Release) -> bool:
        """Find a client. One that is away is changed on the bus, and then this returns False."""
        if await self.locate(namespace, sid):
            return True
        await self._numbered()
        try:
            done = await (
                self._keeper.change(change) if isinstance(change, Change) else self._keeper.release(change)
            )
        except BrokerError:
            return True
        return not done and await self.locate(namespace, sid)

    async def _numbered(self) -> None:
        """Wait until the bus has what this node has emitted: it was before the change that follows.

        Raises ``NodeTimeout``.
        """
        seconds = self._node.options.request_seconds
        try:
            await asyncio.wait_for(self._node.publisher.all_sent(), seconds)
        except TimeoutError:
            raise NodeTimeout(f"not done: events emitted before have waited for {seconds:g} s") from None
