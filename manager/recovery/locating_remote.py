"""``LocatingRemote``: sends requests about clients that have come back elsewhere, or are away."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from msgspec.structs import replace

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.bus.node import Node
from socketio_cluster.manager.bus.requests import GONE, HERE
from socketio_cluster.manager.bus.store import Change, Release
from socketio_cluster.manager.errors import UNKNOWN_SID, BrokerError, NodeTimeout
from socketio_cluster.manager.ids import node_of
from socketio_cluster.manager.recovery.client_session import write_room
from socketio_cluster.manager.recovery.keeper import Keeper
from socketio_cluster.manager.remote import IsClient, Remote, serves_nobody

MOST_MOVED: Final = 10_000
"""The most clients whose node is remembered. It is asked for again before each request."""
AGAIN_SECONDS: Final = 0.05
"""How long to wait before a client is looked for again that its node has not."""


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
        return await self._where(namespace, sid) != ""

    async def close(self, namespace: str, room: Room) -> None:
        """Close a room on all nodes, and for all clients that are away. Raises ``NodeTimeout``."""
        await super().close(namespace, room)
        if self._is_on():
            await self._numbered()
            try:
                await self._keeper.close(self._node.channels.room(namespace, room))
            except BrokerError as error:
                raise NodeTimeout(f"clients that are away may still be in the room: {error}") from error

    async def _enter(self, namespace: str, sid: str, room: Room, history: int) -> str:
        entered = [write_room(room)] if room != sid else []  # A client is always in its own room.
        change = Change(sid, "", entered, channels=self._node.channels.rooms(namespace))
        return await self._do(namespace, change, lambda: Remote._enter(self, namespace, sid, room, history))

    async def _leave(self, namespace: str, sid: str, room: Room) -> str:
        change = Change(sid, "", left=[write_room(room)], channels=self._node.channels.rooms(namespace))
        return await self._do(namespace, change, lambda: Remote._leave(self, namespace, sid, room))

    async def _disconnect(self, namespace: str, sid: str) -> str:
        return await self._do(
            namespace, Release(sid, "", 0), lambda: Remote._disconnect(self, namespace, sid)
        )

    async def _where(self, namespace: str, sid: Room) -> str | None:
        """Return the node that has a client, an empty text while it is away, or None if that is not known."""
        known = not isinstance(sid, str) or node_of(sid) is None or self._is_client(namespace, sid)
        if known or not self._is_on():
            return None
        assert isinstance(sid, str)
        try:
            where = await self._keeper.where(sid, namespace)
        except BrokerError:
            return None
        if where and where != node_of(sid):
            self._moved[sid] = where
            self._moved.move_to_end(sid)
            while len(self._moved) > MOST_MOVED:
                self._moved.popitem(last=False)
        else:
            self._moved.pop(sid, None)
        return where

    async def _do(self, namespace: str, change: Change | Release, ask: Callable[[], Awaitable[str]]) -> str:
        """Ask the node of a client, or change the session of one that is away; returns the node's reply.

        A client that is just coming or going is looked for again. Returns ``HERE`` for one that has come to
        this node meanwhile: nothing was done to it. Raises ``NodeTimeout``.
        """
        seconds = self._node.options.request_seconds
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            where = await self._where(namespace, change.sid)
            if self._is_client(namespace, change.sid):
                return HERE
            reply = GONE if where == "" else await ask()
            if where is None or reply not in (GONE, UNKNOWN_SID):
                return reply
            if not self._node.knows(where) and await self._changed(replace(change, gone=where)):
                return ""
            await asyncio.sleep(AGAIN_SECONDS)
        raise NodeTimeout(f"client {change.sid} was not found within {seconds:g} s: it comes and goes")

    async def _changed(self, change: Change | Release) -> bool:
        """Change a session whose client is away. Returns False if it is not, or the bus is."""
        await self._numbered()
        with suppress(BrokerError):
            if isinstance(change, Change):
                return await self._keeper.change(change) > 0
            return await self._keeper.release(change)
        return False

    async def _numbered(self) -> None:
        """Wait until the bus has what this node has emitted: it was before the change that follows.

        Raises ``NodeTimeout``.
        """
        seconds = self._node.options.request_seconds
        try:
            await asyncio.wait_for(self._node.publisher.all_sent(), seconds)
        except TimeoutError:
            raise NodeTimeout(f"not done: events emitted before have waited for {seconds:g} s") from None
