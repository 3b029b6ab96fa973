"""``Latecomers``: sends clients that enter a room the last events that were emitted to it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.bus.envelope import Codec
from socketio_cluster.manager.bus.messages import Recorded
from socketio_cluster.manager.bus.store import Piece, Tail
from socketio_cluster.manager.clients.client import Client
from socketio_cluster.manager.clients.outgoing import Outgoing
from socketio_cluster.manager.clients.packets import Encoded
from socketio_cluster.manager.errors import EnvelopeError
from socketio_cluster.manager.queries.selection import is_meant
from socketio_cluster.manager.recovery.gate import Gate, rooms_of

if TYPE_CHECKING:
    from socketio_cluster.manager.client_manager import ClusterManager
    from socketio_cluster.manager.recovery.client_session import ClientSession
    from socketio_cluster.manager.recovery.follower import Follower
    from socketio_cluster.manager.recovery.keeper import Keeper

logger = logging.getLogger("socketio_cluster.manager")

NO_HISTORY: Final = "history needs events that the bus keeps: give all nodes recovery_seconds, and a bus"
MOST_EVENTS: Final = 1000
MOST_BYTES: Final = 1024 * 1024
"""The most bytes of one history: a quarter of what is kept for a client that is slow to take it."""
PIECE_BYTES: Final = 256 * 1024
AT_ONCE: Final = 32
"""The most clients for which history is read at the same time. Others wait."""


def check_history(history: int | None) -> int:
    """Return how many events are wanted; None stands for 0. Raises ``TypeError`` and ``ValueError``."""
    if history is None:
        return 0
    if not isinstance(history, int) or isinstance(history, bool):
        raise TypeError(f"history is a number of events, not a {type(history).__name__}")
    if not 0 <= history <= MOST_EVENTS:
        raise ValueError(f"history is 0 to {MOST_EVENTS} events, not {history}")
    return history


class Latecomers:
    """Lets clients of one node into rooms with history."""

    def __init__(self, manager: ClusterManager, keeper: Keeper, codec: Codec, follower: Follower) -> None:
        self._manager = manager
        self._keeper = keeper
        self._codec = codec
        self._follower = follower
        self._room = asyncio.Semaphore(AT_ONCE)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """One for each client that enters a room: it gets one history at a time."""

    async def enter(
        self, client: Client, room: Room, count: int, join: Callable[[Client, Room], Awaitable[None] | None]
    ) -> bool:
        """Put a client into a room and send it the last events of it; nothing if it is there already.

        Its live events are held meanwhile. Returns False if it has gone before that: nothing was done then.
        Raises ``BrokerError``, and what ``join`` raises.
        """
        lock = self._locks.setdefault(client.sid, asyncio.Lock())
        async with lock, self._room:
            if not self._manager.members.is_here(client):
                return False
            if room in client.rooms:
                return True
            gate = client.gate or Gate(client, self._manager.held_bytes)
            gate.close()
            at = self._reached(client)
            upto, history = 0, list[Outgoing]()
            try:
                if (joining := join(client, room)) is not None:
                    await joining
                upto, found = await self._last(client, room, count, at)
                if client.session is not None and client.session.returning:
                    _give_to_replay(client.session, found)
                else:
                    history = [outgoing for _, outgoing in found]
            finally:
                if not gate.open(room, upto, history):
                    self._manager.stats.slow_consumers += 1
                    self._manager.spawn(self._manager.send_back(client.eio_sid))
            if client.session is not None and room in client.session.joined:
                client.session.joined[room] = upto
        return True

    def _reached(self, client: Client) -> int:
        """Return the number up to which a client has got everything, now that its events are held."""
        session = client.session
        if session is not None and session.returning:
            return session.replayed
        return max(self._follower.order.seen, session.upto if session is not None else 0)

    async def _last(
        self, client: Client, room: Room, count: int, at: int
    ) -> tuple[int, list[tuple[int, Outgoing]]]:
        """Return the last events of a room for a client, oldest first, and the number up to which they go."""
        channel = self._manager.node.channels.room(client.namespace, room)
        found: list[tuple[int, Outgoing]] = []
        upto = before = size = 0
        while True:
            piece = await self._keeper.tail(Tail(channel, before, count, PIECE_BYTES))
            upto = upto or piece.place.last
            for number, outgoing in self._events(client, room, piece, at):
                size += outgoing.encoded.size
                if len(found) == count or (found and size > MOST_BYTES):
                    return upto, found[::-1]
                found.append((number, outgoing))
            if piece.done or len(found) == count:
                return upto, found[::-1]
            before = piece.events[0][0]

    def _events(self, client: Client, room: Room, piece: Piece, at: int) -> Iterator[tuple[int, Outgoing]]:
        """Yield the events of a piece that are for a client, newest first.

        The client has got everything up to the number ``at``. A newer one that it also gets through another
        room comes live.
        """
        for number, raw in reversed(piece.events):
            try:
                message = self._codec.message(raw)
            except EnvelopeError as exc:
                logger.warning("event %d of the history is refused: %s", number, exc)
                continue
            if not isinstance(message, Recorded) or not self._is_for(client, message):
                continue
            event = message.event
            if number > at and rooms_of(client, event.rooms) - {room}:
                continue
            encoded = Encoded(event.parts, event.text)
            if client.session is None:
                yield number, Outgoing(encoded, event.rooms)
            else:
                yield number, self._follower.fanout.old(encoded, event.rooms, at)

    def _is_for(self, client: Client, message: Recorded) -> bool:
        if client.sid in message.event.skip or rooms_of(client, message.except_):
            return False
        return is_meant(self._manager, client, message.recipients)


def _give_to_replay(session: ClientSession, history: list[tuple[int, Outgoing]]) -> None:
    """Have a client that is coming back get a history in the order of what it has missed, and nothing twice.

    What the replay is still to come to is sent by it; the client may have missed some of it in the same room.
    """
    for number, outgoing in history:
        if number > session.replayed:
            session.granted |= {number}
        elif number <= session.position or not session.was_in(outgoing.rooms or [], number):
            session.first.append(outgoing)
