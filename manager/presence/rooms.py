"""``PresenceRooms``: the presence in all rooms that concern this node, and what has to be done about it when.

``docs/presence.md`` describes how nodes keep presence. ``book.py``, ``own.py``, ``shown.py`` and ``calls.py``
are the pure parts.
"""

from __future__ import annotations

import time
from itertools import count
from typing import TYPE_CHECKING, Final

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.bus.presence_messages import PresenceCalled, PresenceChange
from socketio_cluster.manager.presence.answers import Answers
from socketio_cluster.manager.presence.attendance import Attendance
from socketio_cluster.manager.presence.completing import Completing
from socketio_cluster.manager.presence.exchange import Exchange
from socketio_cluster.manager.presence.handlers import Calling
from socketio_cluster.manager.presence.held_room import HeldRoom, RoomId
from socketio_cluster.manager.presence.keepers import Keepers
from socketio_cluster.manager.presence.telling import Telling
from socketio_cluster.manager.tasks import Recurring

if TYPE_CHECKING:
    from socketio_cluster.manager.member import ClusterMember

TURN: Final = 0.05
"""Seconds for which changes are gathered, before other nodes and clients are told."""
FORGET: Final = 1.0
"""Seconds between two searches for rooms that nobody needs any more."""


class PresenceRooms:
    """Holds rooms for the clients of this node, and as a keeper. It costs nothing while it holds none.

    Args:
        manager: the manager of this node.
    """

    def __init__(self, manager: ClusterMember) -> None:
        self.manager = manager
        self.held: dict[RoomId, HeldRoom] = {}
        self.exchange = Exchange(manager)
        self.completing = Completing(self)
        self.keepers = Keepers(self)
        self.attendance = Attendance(self)
        self.answers = Answers(self)
        self._telling = Telling(manager)
        self._calling = Calling(manager, self.exchange.publish_calls)
        self._versions = count(1)
        self._touched: dict[RoomId, HeldRoom] = {}
        self._forget_at = 0.0
        self._used = self._closed = False
        self._clock = Recurring(TURN, self._turn)

    def hold(self, room: RoomId) -> HeldRoom:
        """Return what this node knows of a room. If that is new to it, it begins to find out."""
        held = self.held.get(room)
        if held is None:
            self._used = True
            held = self.held[room] = HeldRoom(room, self.manager.node_id, self._versions)
            held.keepers = self.keepers.ring.keepers(*room)
            self.completing.begin(held)
        self.touch(held)
        return held

    @property
    def used(self) -> bool:
        """Whether the application uses presence, as far as this node has seen."""
        return self._used or self.manager.presence.handlers.any

    def needs(self, namespace: str, room: Room) -> bool:
        """Whether this node has to hear of a room in which it has no client any more: one may come back."""
        held = self.held.get((namespace, room))
        return held is not None and bool(held.own.entries)

    def touch(self, room: HeldRoom) -> None:
        """Look at a room in the next turn, because something has changed in it."""
        self._touched[room.id] = room
        self.wake()

    def wake(self) -> None:
        """Take turns, until there is nothing to do any more."""
        if not self._closed:
            self._clock.start()

    def heard(self, origin: str, message: PresenceChange | PresenceCalled) -> None:
        """Handle a message of another node."""
        place = message.namespace, message.room
        if place not in self.held and self.manager.node_id not in self.keepers.ring.keepers(*place):
            return  # This node has clients in the room, but none of them wants to know who is present.
        self.keepers.heard(origin)
        room = self.hold(place)
        if self.keepers.unknown(origin):
            self.completing.met(origin, room)
        match message:
            case PresenceChange():
                if not room.change(origin, message):
                    self.completing.repair(origin, room)
            case PresenceCalled():
                self._told(origin, room, message)

    def _told(self, origin: str, room: HeldRoom, message: PresenceCalled) -> None:
        joined, left, first = message.joined, message.left, room.keepers[:1]
        if message.passed_on:
            room.calls.told(joined, left, sure=False)
        elif first == (self.manager.node_id,):
            room.calls.rival(joined, left)
            self.exchange.publish_calls(room)
        else:  # One that was the first while nodes were away knows less of leaves than the first of now.
            room.calls.told(joined, left if first == (origin,) else [], sure=True)
        room.book.changed.update(dict.fromkeys(joined + left))

    def open(self) -> None:
        """Take turns and ask again, if this node has left the bus and has now come back to it."""
        closed, self._closed = self._closed, False
        if closed:
            self.completing.open()
            if self.held or self.keepers.waits:
                self.wake()

    def close(self) -> None:
        """Take no more turns, whatever happens to clients that are still here."""
        self._closed = True
        self._clock.close()
        self.completing.close()

    def _turn(self) -> bool:
        now = time.monotonic()
        self.keepers.turn(now)
        self.attendance.turn(now)
        touched, self._touched = self._touched, {}
        for room in touched.values():
            self._tell(room, now)
        if not self.keepers.quiet(now):
            self._calling.fill()
        if now >= self._forget_at:
            self._forget_at = now + FORGET
            self._forget(now)
        if self.held or self.keepers.waits:
            return True
        self.keepers.rest()
        return False

    def _tell(self, room: HeldRoom, now: float) -> None:
        """Tell clients, handlers and other nodes what has changed in a room."""
        if room.book.changed or room.newcomers:
            if room.complete and not room.telling and now >= room.due:
                changed, room.book.changed = room.book.changed, {}
                self.attendance.changed(room, changed)
                self._telling.turn(room, changed, now)
                self._calling.turn(room, changed)
            else:
                self.touch(room)
        self.exchange.publish(room)

    def _forget(self, now: float) -> None:
        for place, room in list(self.held.items()):
            if room.found and self.keepers.complete(now):
                room.calls.left.clear()
            for owner in room.book.owners:
                self.keepers.heard(owner)  # So none stays that is not there, whatever has brought it in.
            kept = self.manager.node_id in room.keepers or now < room.kept_until
            if room.found and not room.repairing and not room.wanted and (room.empty or not kept):
                del self.held[place]
                self._touched.pop(place, None)
                if not self.manager.members.has(*place):
                    self.manager.node.unsubscribe(self.manager.node.channels.room(*place))
