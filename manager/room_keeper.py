"""``RoomKeeper``: the methods of a client manager that change rooms, on whatever node the client is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from threading import get_ident
from typing import Any

from socketio_cluster.manager.bus.channels import Room, check_room
from socketio_cluster.manager.checks import plain_namespace
from socketio_cluster.manager.clients.client import LEAVING, Client
from socketio_cluster.manager.clients.local_room import LocalRoom
from socketio_cluster.manager.clients.rooms import check_room_limit
from socketio_cluster.manager.errors import NodeTimeout, SettingError
from socketio_cluster.manager.ids import SID_CHARS, node_of
from socketio_cluster.manager.member import ClusterMember
from socketio_cluster.manager.recovery.latecomers import NO_HISTORY, check_history


class RoomKeeper(ClusterMember):
    """A member of the cluster that puts clients into rooms and takes them out."""

    def emptied(self, namespace: str, room: Room | None) -> None:
        """Unsubscribe from the channel of a room or a namespace without clients."""
        names = self.node.channels
        if room is None:
            self.node.unsubscribe(names.namespace(namespace))
        elif not self.present.needs(namespace, room):
            self.node.unsubscribe(names.room(namespace, room))

    def _at_home(self) -> bool:
        """Whether this node has started, on the event loop that runs here.

        Before Python 3.12 ``get_running_loop`` makes a system call, which takes three times as long.
        """
        return self._home is not None and self._thread == get_ident() and self._home.is_running()

    def is_sid_room(self, namespace: str, room: Any) -> bool:
        """Whether the room is a client's own room on this node. Such rooms are private."""
        return self.members.find(room, namespace) is not None

    async def enter_room(
        self, sid: str, namespace: str, room: Any, eio_sid: str | None = None, *, history: int | None = None
    ) -> None:
        """Put a client of any node into a room. An emit that is made after the return reaches it.

        With ``history`` (1 to 1000) it first gets that many of the last events of the room, unless it is in
        the room already. That needs ``recovery_seconds``: otherwise ``SettingError`` (a ``ValueError``) is
        raised, and ``BrokerError`` if the bus goes away meanwhile.

        If this is cancelled, the client may be in the room or not. Raises ``ValueError`` for an unknown sid,
        another client's own room or a name that no bus can carry, ``TooManyRooms`` (a ``ValueError`` too) at
        the client's limit, ``TypeError`` for a room that is neither str nor int, and ``NodeTimeout`` if the
        client's node does not confirm in time.
        """
        client = self.members.find(sid, namespace)
        if client is None or history is not None or not self._is_plain(room):
            await self._enter_with_care(sid, namespace, room, history)
        elif (entering := self._enter(client, room)) is not None:
            await entering

    def _is_plain(self, room: Any) -> bool:
        """Whether a client of this node may enter a room of this name without a look at anything else.

        That is so for most joins, and saves a quarter of their time.
        """
        return (
            type(room) is str
            and room.isascii()
            and len(room) != SID_CHARS
            and self.recovery is None
            and self.options.rooms_per_client is None
            and self._at_home()
        )

    async def _enter_with_care(self, sid: str, namespace: str, room: Any, history: int | None) -> None:
        """Do what ``enter_room`` says, for a client of any node and a room of any name."""
        room, namespace = check_room(room), plain_namespace(namespace)
        count = check_history(history) if history is not None else 0
        if count and (self.recovery is None or self.node.alone):
            raise SettingError(NO_HISTORY)
        if not self._at_home():
            self.enter_loop()
        if room == sid:
            return
        if node_of(room) is not None and await self.remote.is_client(namespace, room):
            raise ValueError("cannot enter a sid room")
        entering = partial(self.remote.enter, namespace, sid, room, count)
        while (client := await self._here(sid, namespace, entering)) is not None:
            check_room_limit(client, room, self.options.rooms_per_client, self.stats)
            if count and self.recovery is not None:
                if not await self.recovery.latecomers.enter(client, room, count, self._enter):
                    continue
            elif (settling := self._enter(client, room)) is not None:
                await settling
            if not await self._is_taken(client):
                return

    async def _here(
        self, sid: str, namespace: str, elsewhere: Callable[[], Awaitable[bool]]
    ) -> Client | None:
        """Return a client of this node, when what was emitted until now has come to it.

        Returns None for one that is on another node or away, when ``elsewhere`` has done the same for it. It
        may go while this waits, or come.
        """
        while True:
            if (client := self.members.find(sid, namespace)) is None:
                await self.start()
                if await elsewhere():
                    return None
                continue
            if self.recovery is None:
                return client
            await self.recovery.in_order()
            if self.members.is_here(client):
                return client

    async def _is_taken(self, client: Client) -> bool:
        """Whether another connection has a client's session by now, without what was just done to the client.

        Then this returns when the client has left this node. Its disconnect handler cannot wait for that.
        Raises ``NodeTimeout``.
        """
        recovery, seconds = self.recovery, self.options.request_seconds
        if recovery is None or not await recovery.sessions.is_taken(client):
            return False
        if client.state is LEAVING and self.members.is_here(client):
            return False
        try:
            async with asyncio.timeout(seconds):
                await recovery.arrivals.gone(client)
        except TimeoutError:
            raise NodeTimeout(f"client {client.sid} did not leave within {seconds:g} s") from None
        return True

    def _enter(self, client: Client, room: Room) -> Awaitable[None] | None:
        """Put a client into a room. Returns what has to be awaited before its emits arrive, or None.

        Mostly that is None: somebody is in the room, so this node has subscribed to it already.
        """
        self.basic_enter_room(client.sid, client.namespace, room)
        local = client.rooms[room]
        if local.subscribed and client.session is None:
            return None
        return self._settle(client, room, local)

    async def _settle(self, client: Client, room: Room, local: LocalRoom) -> None:
        """Return when this node has subscribed to a room, and the bus knows that the client is in it."""
        channel = self.node.channels.room(client.namespace, room)
        if (subscribing := self.node.subscribing(channel)) is not None:
            await subscribing
        local.subscribed = self.node.subscribed_to(channel)
        if self.recovery is not None:
            await self.recovery.sessions.flush(client)

    async def leave_room(self, sid: str, namespace: str, room: Any) -> None:
        """Take a client of any node out of a room. Raises ``NodeTimeout`` if its node does not confirm."""
        room, namespace = check_room(room), plain_namespace(namespace)
        if not self._at_home():
            self.enter_loop()
        leaving = partial(self.remote.leave, namespace, sid, room)
        while (client := await self._here(sid, namespace, leaving)) is not None:
            await self.may_leave([client])
            if not self.members.is_here(client):
                continue
            self.basic_leave_room(sid, namespace, room)
            if self.recovery is not None:
                await self.recovery.sessions.flush(client)
            if not await self._is_taken(client):
                return

    async def close_room(self, room: Any, namespace: str) -> None:
        """Take all clients on all nodes out of a room.

        A node that has just started waits until it knows all others, as for a question. Raises ``ValueError``
        for a sid, and ``NodeTimeout`` when a node does not confirm in time, or the bus is away.
        """
        room, namespace = check_room(room), plain_namespace(namespace)
        introduced = await self.introduced(self.options.request_seconds)
        if await self.remote.is_client(namespace, room):
            raise ValueError("cannot close a sid room")
        await self.in_order()
        await self.may_leave(self.members.members(namespace, [room]))
        self.basic_close_room(room, namespace)
        await self.remote.close(namespace, room)
        if not introduced:
            raise NodeTimeout("the bus is away: clients of other nodes may still be in the room")
