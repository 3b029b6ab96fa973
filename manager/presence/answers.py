"""What this node answers to other nodes' questions about presence."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Final

import msgspec

from socketio_cluster.manager.bus.presence_messages import (
    CountPresence,
    FindOwnPresence,
    PresenceCall,
    PresenceListing,
)
from socketio_cluster.manager.bus.query_messages import Recipients
from socketio_cluster.manager.presence.copies import copies
from socketio_cluster.manager.presence.held_room import HeldRoom, RoomId
from socketio_cluster.manager.queries.failed import Failed

if TYPE_CHECKING:
    from socketio_cluster.manager.presence.rooms import PresenceRooms

_pack: Final = msgspec.msgpack.Encoder().encode


class Answers:
    """Answers for one node."""

    def __init__(self, rooms: PresenceRooms) -> None:
        self._rooms = rooms

    async def give(self, whom: Recipients, question: PresenceListing) -> AsyncGenerator[bytes]:
        """Give the packed items of an answer. Raises ``ValueError`` for a question that is malformed."""
        if isinstance(question, FindOwnPresence):
            for item in self._rooms.exchange.own_copies(self._rooms.held.values(), question):
                yield item
            return
        for place in _places(whom):
            room = await self.known(place) if question.keep else self._kept(place)
            if room is not None:
                for item in copies(room, self._rooms.keepers.patience(room.book.owners)):
                    yield item

    async def do(self, whom: Recipients, call: PresenceCall) -> bytes:
        """Do what is asked, and give the packed result. Raises ``Failed``."""
        if isinstance(call, CountPresence):
            rooms = [await self.known(place) for place in _places(whom)]
            return _pack(sum(len(room.book.keys) for room in rooms if room is not None))
        try:
            await self._rooms.attendance.change(whom.namespace, call)
        except ValueError as exc:
            raise Failed(str(exc)) from exc
        return _pack(None)

    async def known(self, place: RoomId) -> HeldRoom | None:
        """Return what this node knows of a room as a keeper or for its clients, when that is all."""
        room = self._rooms.held.get(place)
        if room is None and self._rooms.manager.node_id in self._rooms.keepers.ring.keepers(*place):
            room = self._rooms.hold(place)
        if room is not None:
            await self._rooms.completing.wait(room)
        return room

    def _kept(self, place: RoomId) -> HeldRoom | None:
        """Return what this node knows of a room as its keeper, or as one who was its keeper just now."""
        room = self._rooms.held.get(place)
        if room is None:
            return None
        keeps = self._rooms.manager.node_id in room.keepers
        return room if (room.complete if keeps else time.monotonic() < room.kept_until) else None


def _places(whom: Recipients) -> list[RoomId]:
    return [(whom.namespace, room) for room in whom.rooms or ()]
