"""``SessionWriter``: tells the bus what changes of the sessions of this node's clients."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import msgspec

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.bus.store import Change, Open, Release
from socketio_cluster.manager.clients.client import Client
from socketio_cluster.manager.errors import BrokerError
from socketio_cluster.manager.ids import node_of
from socketio_cluster.manager.recovery.client_session import ClientSession, write_room
from socketio_cluster.manager.recovery.endings import Endings
from socketio_cluster.manager.recovery.pid import digest

if TYPE_CHECKING:
    from socketio_cluster.manager.client_manager import ClusterManager
    from socketio_cluster.manager.recovery.recovery import Recovery

logger = logging.getLogger("socketio_cluster.manager")


class SessionWriter:
    """Writes sessions.

    Args:
        manager: the manager of the clients.
        recovery: their recovery.
    """

    def __init__(self, manager: ClusterManager, recovery: Recovery) -> None:
        self._manager = manager
        self._recovery = recovery
        self._keeper = recovery.keeper
        self._order = recovery.follower.order
        self._endings = Endings(manager, recovery.keeper)
        self._flushing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def left(self, client: Client) -> None:
        """Note that a client is gone from this node."""
        session = client.session
        if session is None:
            return
        node = self._manager.node
        if node_of(client.sid) != node.id:
            node.unsubscribe(node.channels.room(client.namespace, client.sid))
        self._recovery.arrivals.left(client.sid)
        self._manager.spawn(self._part(client, session))

    async def _part(self, client: Client, session: ClientSession) -> None:
        await self.flush(client)
        await self.release(client.sid, session)

    async def release(self, sid: str, session: ClientSession) -> None:
        """Tell the bus that a client is away, or will not come back.

        It will not either if the bus may not have all that was done to it: it would come back without that.
        """
        ends, times = session.over or session.unsure, self._recovery.times
        release = Release(sid, session.claim, 0.0 if ends else times.away)
        try:
            await self._keeper.release(release)
        except BrokerError as error:
            logger.debug("the session of %s ends by itself: %s", sid, error)
            if ends:
                self._endings.add(release, times.session)

    def has_ended(self, sid: str, namespace: str) -> bool:
        """Whether nobody may go on with the session of a client of this node, which the bus does not know."""
        client = self._manager.members.find(sid, namespace)
        unsure = client is not None and client.session is not None and client.session.unsure
        return unsure or self._endings.has(sid)

    def moved(self, client: Client, room: Room, *, inside: bool) -> None:
        """Note that a client has entered or left a room. The bus is told by ``flush``.

        Who enters a room that it has not left has not moved: it is still owed what it has missed there.
        """
        session = client.session
        if session is None or session.parted:
            return
        if inside:
            session.enter(room, self._order.seen)
        else:
            session.leave(room, self._order.seen)

    async def locate(self, clients: Iterable[Client]) -> None:
        """Ask where the bus is, if one of these clients is coming back.

        Its node may not have heard yet of all events that it is owed of the rooms that it now leaves.
        """
        returning = [client.session for client in clients if client.session and client.session.returning]
        if not returning:
            return
        with suppress(BrokerError):
            place = await self._keeper.place()
            for session in returning:
                session.known = max(session.known, place.last if place is not None else 0)

    async def flush(self, client: Client) -> None:
        """Tell the bus of the rooms that a client has entered and left. Returns when it knows all of them."""
        async with self._flushing.setdefault(client.sid, asyncio.Lock()):
            session = client.session
            if session is None or not session.unwritten:
                return
            rooms, session.unwritten = session.unwritten, {}
            ended, session.ended = session.ended, ()
            entered = {room: session.joined[room] for room, inside in rooms.items() if inside}
            left = [write_room(room) for room, inside in rooms.items() if not inside]
            change = Change(client.sid, session.claim, [*map(write_room, entered)], left, stays=[*ended])
            last = await self._change(session, change)
            for room, joined in entered.items():
                if session.joined.get(room) == joined:  # The node may be behind the bus.
                    session.joined[room] = max(joined, last)

    async def is_taken(self, client: Client) -> bool:
        """Whether another connection has claimed the session of a client, or it is away, if that is known."""
        session, manager = client.session, self._manager
        if session is None or not session.lost:
            return False
        with suppress(BrokerError):
            where = await self._keeper.where(client.sid, client.namespace)
            if where == manager.node_id:
                return self._recovery.arrivals.is_returning(client.sid) or not manager.members.is_here(client)
            return where is not None
        return False

    async def saved(self, client: Client, data: Any) -> None:
        """Note on the bus what the application has saved for a client.

        Raises ``KeyError`` if the client has just come to another node, which has read what was saved before.
        """
        packed, session = pack(data), client.session
        if session is None or session.over:
            return
        if packed is None:
            logger.error("client %s cannot come back: MessagePack cannot hold its session's data", client.sid)
            session.over = True
            await self.release(client.sid, session)
        elif not await self._change(session, Change(client.sid, session.claim, data=packed)):
            away = await self.save_away(client.sid, client.namespace, data)
            if not away and await self.is_taken(client):
                raise KeyError("Session not found")

    async def save_away(self, sid: str, namespace: str, data: Any) -> bool:
        """Save the data of a client that is away. Returns False if it is not away.

        Raises ``TypeError`` for data that MessagePack cannot hold.
        """
        packed = pack(data)
        if packed is None:
            raise TypeError("the session of a client that is away holds what MessagePack can hold")
        try:
            away = await self._keeper.where(sid, namespace) == ""
            return away and await self._keeper.change(Change(sid, "", data=packed)) > 0
        except BrokerError:
            return False

    async def _change(self, session: ClientSession, change: Change) -> int:
        """Change a session. Returns the last number, or 0 if the bus does not have it as it is."""
        last, answered = 0, False
        try:
            last = await self._keeper.change(change)
            answered = True
        except BrokerError as error:
            logger.debug("a session is written when the bus is back: %s", error)
        finally:  # also if this is cancelled
            session.unsure |= not answered
            session.lost |= not last  # The next renewal writes it anew.
        return last

    async def write(self, client: Client, session: ClientSession) -> None:
        """Write a session anew, because the bus does not have it as it is. Raises ``BrokerError``."""
        connection = self._manager.host.connection(client.eio_sid)
        data = connection.sessions.get(client.namespace) if connection is not None else None
        rooms = {write_room(room): session.joined.get(room, session.position) for room in client.rooms}
        session.unwritten, session.ended, session.lost, session.unsure = {}, (), False, False
        opening = Open(
            client.sid,
            digest(session.pid),
            client.namespace,
            self._manager.node_id,
            session.claim,
            self._recovery.times.session,
            session.position,
            rooms,
            (pack(data) or b"") if data else b"",
            session.stays,
        )
        try:
            await self._keeper.open(opening)
        except BaseException:  # also if this is cancelled
            session.lost = session.unsure = True
            raise


def pack(data: Any) -> bytes | None:
    """Return a session's data as bytes, or None for data that MessagePack cannot hold."""
    try:
        return msgspec.msgpack.encode(data)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return None
