"""``Attendance``: which clients of this node are present in which rooms, and which of them watch."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.bus.presence_messages import ChangePresence, Entry
from socketio_cluster.manager.clients.client import Client
from socketio_cluster.manager.errors import UNKNOWN_SID
from socketio_cluster.manager.presence.held_room import HeldRoom, RoomId

if TYPE_CHECKING:
    from socketio_cluster.manager.presence.rooms import PresenceRooms


class Attendance:
    """The clients of this node. Times are in seconds."""

    def __init__(self, rooms: PresenceRooms) -> None:
        self._rooms = rooms
        self.of_client: dict[str, dict[RoomId, None]] = {}
        """The rooms in which each client is present or which it watches."""
        self._lost: dict[tuple[str, RoomId], float] = {}
        """Until when clients whose connections are lost count as present in a room."""

    async def change(self, namespace: str, change: ChangePresence) -> None:
        """Track, update, untrack or watch a client. Raises ``ValueError`` for one that is not there."""
        sid, room = change.sid, change.room
        if self._rooms.manager.members.find(sid, namespace) is None:
            raise ValueError(UNKNOWN_SID)
        match change.verb:
            case "untrack":
                self.untrack(sid, namespace, room)
            case "update" if room is not None:
                self.update(sid, (namespace, room), change.meta)
            case "watch" if room is not None:
                await self.watch(sid, (namespace, room))
            case "track" if room is not None and change.key is not None:
                await self.track(sid, (namespace, room), change.key, change.meta)
            case verb:
                raise ValueError(f"presence has no {verb!r}, or it needs a room and a key")

    async def track(self, sid: str, place: RoomId, key: str, meta: bytes) -> None:
        """Let a client be present. Raises what ``ClusterManager.enter_room`` raises."""
        await self.watch(sid, place)
        self._rooms.hold(place).own.put(Entry(sid, key, meta))

    async def watch(self, sid: str, place: RoomId) -> None:
        """Put a client into a room and tell it who is present. Raises as ``track``."""
        namespace, room = place
        manager = self._rooms.manager
        await manager.enter_room(sid, namespace, room)
        client = manager.members.find(sid, namespace)
        if client is None or room not in client.rooms:
            raise ValueError(UNKNOWN_SID)  # It has left meanwhile.
        self._attend(sid, place)

    def update(self, sid: str, place: RoomId, meta: bytes) -> None:
        """Change the meta of a client. Raises ``ValueError`` for one that is not present."""
        entry = self._entry(sid, place)
        if entry is None or entry.lost:
            raise ValueError(f"client {sid} is not present in room {place[1]!r}: track it first")
        self._rooms.hold(place).own.put(Entry(sid, entry.key, meta))

    def untrack(self, sid: str, namespace: str, room: Room | None) -> None:
        """Let a client not be present any more, in one room or in all. It goes on to watch."""
        for place in [place for place in self.of_client.get(sid, ()) if place[0] == namespace]:
            if room in (None, place[1]):
                self._rooms.hold(place).own.remove(sid)

    def left_room(self, sid: str, place: RoomId) -> None:
        """Note that a client is not in a room any more."""
        if place not in self.of_client.get(sid, ()):
            return
        room = self._rooms.hold(place)
        room.watchers.discard(sid)
        room.newcomers.pop(sid, None)
        entry = room.own.entries.get(sid)
        if entry is None or not entry.lost:
            room.own.remove(sid)
            self._forget(sid, place)

    def entered_room(self, sid: str, place: RoomId) -> None:
        """Note that a client is in a room. One that was lost and has come back is present as before."""
        entry = self._entry(sid, place)
        if entry is not None and entry.lost:
            room = self._rooms.hold(place)
            room.own.lose(sid, lost=False)
            del self._lost[sid, place]
            self._welcome(room, sid)

    def came_back(self, sid: str, namespace: str) -> None:
        """Let a client that has its session back be present again where it was on another node."""
        client = self._rooms.manager.members.find(sid, namespace)
        if client is not None and self._rooms.used:
            for room in client.rooms:
                if self._entry(sid, (namespace, room)) is None:
                    self._rooms.manager.spawn(self._take_over(client, (namespace, room)))

    async def _take_over(self, client: Client, place: RoomId) -> None:
        room = self._rooms.hold(place)
        await self._rooms.completing.wait(room)
        entry = room.book.find(client.sid)
        here = self._rooms.manager.members.find(client.sid, client.namespace) is client
        if entry is not None and here and place[1] in client.rooms and self._entry(client.sid, place) is None:
            self._rooms.hold(place).own.put(Entry(client.sid, entry.key, entry.meta))
            self._attend(client.sid, place)

    def lost(self, sid: str) -> None:
        """Note that a client's connection has ended. It is present for a while, because it may come back."""
        until = time.monotonic() + self._rooms.manager.options.presence_grace
        for place in list(self.of_client.get(sid, ())):
            entry = self._entry(sid, place)
            if entry is not None and not entry.lost:
                self._rooms.hold(place).own.lose(sid)
                self._lost[sid, place] = until

    def turn(self, now: float) -> None:
        """Remove the clients that have not come back."""
        for sid, place in [each for each, until in self._lost.items() if now >= until]:
            self._remove(sid, place)

    def changed(self, room: HeldRoom, keys: Iterable[str]) -> None:
        """Remove lost clients in whose place others have come, perhaps to other nodes."""
        for sid in room.own.superseded(keys) if self._lost else ():
            self._remove(sid, room.id)

    def _remove(self, sid: str, place: RoomId) -> None:
        self._lost.pop((sid, place), None)
        self._rooms.hold(place).own.remove(sid)
        self._forget(sid, place)

    def _attend(self, sid: str, place: RoomId) -> None:
        self.of_client.setdefault(sid, {})[place] = None
        self._welcome(self._rooms.hold(place), sid)

    def _welcome(self, room: HeldRoom, sid: str) -> None:
        if sid not in room.watchers:
            room.newcomers[sid] = None

    def _entry(self, sid: str, place: RoomId) -> Entry | None:
        room = self._rooms.held.get(place)
        return room.own.entries.get(sid) if room is not None else None

    def _forget(self, sid: str, place: RoomId) -> None:
        places = self.of_client.get(sid, {})
        places.pop(place, None)
        if not places:
            self.of_client.pop(sid, None)
