"""``Replays``: sends clients that come back the events that they have missed, a few clients at a time."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.bus.envelope import Codec
from socketio_cluster.manager.bus.messages import Recorded
from socketio_cluster.manager.bus.store import Piece, Read
from socketio_cluster.manager.clients.rooms import Client
from socketio_cluster.manager.queries.selection import is_meant
from socketio_cluster.manager.recovery.client_session import ClientSession
from socketio_cluster.manager.recovery.keeper import Keeper
from socketio_cluster.manager.recovery.marking import Marked, MarkingFanout
from socketio_cluster.manager.recovery.read_events import ReadEvents

if TYPE_CHECKING:
    from socketio_cluster.manager.client_manager import ClusterManager

AT_ONCE: Final = 32
"""The most clients that are served at the same time. Others wait, and live traffic goes on."""
PIECE_EVENTS: Final = 200
PIECE_BYTES: Final = 256 * 1024
"""The most events and bytes that are read at once for a client."""
TURN_SECONDS: Final = 0.005
TURNS: Final = 400
"""A client has at most two seconds to take a piece before the next one is put behind it."""


class TooLate(Exception):
    """The history does not reach back to where the client was."""


class Replays:
    """Replays the missed events of clients."""

    def __init__(self, manager: ClusterManager, keeper: Keeper, codec: Codec, fanout: MarkingFanout) -> None:
        self._manager = manager
        self._keeper = keeper
        self._fanout = fanout
        self._events = ReadEvents(codec, fanout)
        self._clients = 0
        """How many clients are served, or wait for it."""
        self._room = asyncio.Semaphore(AT_ONCE)

    async def replay(self, client: Client, session: ClientSession) -> None:
        """Send a client what it has missed, and then what came for it meanwhile.

        Raises ``BrokerError``, and ``TooLate`` if events were dropped from the history under way.
        """
        self._clients += 1
        try:
            await self._replay(client, session)
        finally:
            self._clients -= 1
            if not self._clients:
                self._events.forget()

    async def _replay(self, client: Client, session: ClientSession) -> None:
        async with self._room:
            after, done = session.position, False
            channels = self._channels(client)
            while not done:
                if client.lost is not None:
                    return  # What it has missed waits for its next connection.
                self._send_first(client, session)
                piece = await self._keeper.read(Read(channels, after, PIECE_EVENTS, PIECE_BYTES))
                if piece.place.floor > after:
                    raise TooLate
                self._send(client, session, piece)
                after, done = piece.upto, piece.done
                if not done:
                    await self._taken(client)
        self._fanout.replayed = max(self._fanout.replayed, after)
        session.upto = after
        session.returning = False
        self._send_first(client, session)
        self._sort_held(client, after)

    @staticmethod
    def _send_first(client: Client, session: ClientSession) -> None:
        first, session.first = session.first, []
        for outgoing in first:
            client.write(outgoing)

    async def _taken(self, client: Client) -> None:
        """Wait until a client has taken a piece, but not for ever: its queue disconnects a slow one.

        A connection that has ended takes nothing.
        """
        for _ in range(TURNS):
            await asyncio.sleep(TURN_SECONDS)
            if client.lost is not None or self._manager.host.is_free(client.eio_sid):
                return

    def _channels(self, client: Client) -> list[str]:
        names = self._manager.node.channels
        rooms = (client.sid, *client.rooms)
        return [names.namespace(client.namespace), *(names.room(client.namespace, room) for room in rooms)]

    def _send(self, client: Client, session: ClientSession, piece: Piece) -> None:
        for number, raw in piece.events:
            read = self._events.read(number, raw)
            if read is not None and self._is_owed(client, session, number, read.message):
                client.write(read.marked)
                self._manager.stats.replayed += 1
                self._manager.stats.replay_seconds.observe(max(0.0, time.time() - number / 1e6))

    def _sort_held(self, client: Client, upto: int) -> None:
        """Drop the held events that were replayed. Those without a number are marked anew."""
        if client.held is None:
            return
        kept, at = [], upto
        for outgoing in client.held.events:
            if not isinstance(outgoing, Marked):
                kept.append(outgoing)
            elif not outgoing.number:
                kept.append(self._fanout.old(outgoing.plain, outgoing.rooms, at))
            elif outgoing.number > upto:
                kept.append(outgoing)
                at = outgoing.number
        client.held.events = kept

    def _is_owed(self, client: Client, session: ClientSession, number: int, message: Recorded) -> bool:
        """Whether an event of the history was for a client, which has joined its rooms at known positions."""
        event = message.event
        if client.sid in event.skip or client.sid in message.except_:
            return False
        if self._was_in(client, session, number, message.except_):
            return False
        if message.where and not is_meant(self._manager, client, message.recipients):
            return False
        if event.rooms is None or client.sid in event.rooms:
            return True
        return self._was_in(client, session, number, event.rooms)

    @staticmethod
    def _was_in(client: Client, session: ClientSession, number: int, rooms: list[Room]) -> bool:
        """Whether a client was in any of these rooms when an event was emitted, as far as that is known."""
        joined = session.joined
        return any(room in client.rooms and joined.get(room, 0) < number for room in rooms)
