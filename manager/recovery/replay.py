"""``Replays``: sends clients that come back the events that they have missed, a few clients at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from socketio_cluster.manager.bus.envelope import Codec
from socketio_cluster.manager.bus.messages import Recorded
from socketio_cluster.manager.bus.store import Change, Piece, Read
from socketio_cluster.manager.clients.client import Client
from socketio_cluster.manager.clients.outgoing import Outgoing
from socketio_cluster.manager.queries.selection import is_meant
from socketio_cluster.manager.recovery.client_session import ClientSession, read_room
from socketio_cluster.manager.recovery.keeper import Keeper
from socketio_cluster.manager.recovery.marking import Marked, MarkingFanout
from socketio_cluster.manager.recovery.read_events import ReadEvents, TooLate

if TYPE_CHECKING:
    from socketio_cluster.manager.client_manager import ClusterManager

AT_ONCE: Final = 32
"""The most clients that are served at the same time. Others wait, and live traffic goes on."""
PIECE_EVENTS: Final = 200
PIECE_BYTES: Final = 256 * 1024
"""The most events and bytes that are read at once for a client."""
LARGE: Final = 1_000_000
"""An event of more bytes may be more than its client can take, which then closes the connection each time.

Of a smaller one that is believed only if the client says so: connections break for other reasons, too.
"""
TRIES: Final = 3
"""How many replays to a client begin with one such event. When it comes back once more its session ends."""
TURN_SECONDS: Final = 0.005
TURNS: Final = 400
"""A client has at most two seconds to take a piece before the next one is put behind it."""


class TooLarge(Exception):
    """A client does not get past an event, which is larger than it can take."""


class Owed(NamedTuple):
    """An event that a client is owed: its number, its bytes on the bus, and what is sent."""

    number: int
    size: int
    marked: Outgoing


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

        Raises ``BrokerError``, ``TooLarge``, and ``TooLate`` if events were dropped meanwhile.
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
            begun = done = False
            while not done:
                if client.lost is not None:
                    return  # What it has missed waits for its next connection.
                after = session.replayed
                self._send_first(client, session)
                channels = self._channels(client, session)
                piece = await self._keeper.read(Read(channels, after, PIECE_EVENTS, PIECE_BYTES))
                if piece.place.floor > after:
                    raise TooLate
                begun = begun or await self._try(client, session, piece)
                if not set(channels).issuperset(self._channels(client, session)):
                    continue  # It has entered a room meanwhile, whose events may be missing in the piece.
                self._send(client, session, piece)
                session.upto, done = piece.upto, piece.done
                if not done:
                    await self._taken(client)
        self._fanout.replayed = max(self._fanout.replayed, session.upto)
        session.returning = False
        self._send_first(client, session)
        session.granted = frozenset()
        self._sort_held(client, session.upto)

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

    def _channels(self, client: Client, session: ClientSession) -> list[str]:
        """Return the channels of the rooms in which a client is, or was when it missed events there."""
        names, left = self._manager.node.channels, (read_room(stay.room) for stay in session.stays.ended)
        rooms = dict.fromkeys((client.sid, *client.rooms, *left))
        return [names.namespace(client.namespace), *(names.room(client.namespace, room) for room in rooms)]

    async def _try(self, client: Client, session: ClientSession, piece: Piece) -> bool:
        """Note with which event a replay begins, on the bus too if that is a large one.

        Returns False if the client is owed no event of the piece. Raises ``TooLarge`` if too many replays
        have begun with the event already.
        """
        owed = next(self._owed(client, session, piece), None)
        if owed is None:
            return False
        number, size = owed.number, owed.size
        times = session.tried[1] if session.tried[0] == number else 0
        if times == TRIES:
            raise TooLarge(f"an event of {size} bytes")
        session.tried = number, times + 1
        if size > LARGE:
            await self.tell_tried(client, session)
        return True

    async def tell_tried(self, client: Client, session: ClientSession) -> None:
        """Tell the bus how often a replay has begun with the same event. Raises ``BrokerError``."""
        await self._keeper.change(Change(client.sid, session.claim, tried=session.tried))

    def _send(self, client: Client, session: ClientSession, piece: Piece) -> None:
        """Send the events of a piece that a client is owed."""
        for owed in self._owed(client, session, piece):
            client.write(owed.marked)
            self._manager.stats.replayed += 1
            self._manager.stats.replay_seconds.observe(max(0.0, time.time() - owed.number / 1e6))

    def _owed(self, client: Client, session: ClientSession, piece: Piece) -> Iterator[Owed]:
        """Yield the events of a piece that a client is owed."""
        for number, raw in piece.events:
            read = self._events.read(number, raw)
            if read is None:
                continue
            if number in session.granted or self._is_owed(client, session, number, read.message):
                yield Owed(number, len(raw), read.marked)

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
        """Whether an event of the history was for a client, as it was in its rooms at known times."""
        event = message.event
        if client.sid in event.skip or client.sid in message.except_:
            return False
        if session.was_in(message.except_, number):
            return False
        if message.where and not is_meant(self._manager, client, message.recipients):
            return False
        if event.rooms is None or client.sid in event.rooms:
            return True
        return session.was_in(event.rooms, number)
