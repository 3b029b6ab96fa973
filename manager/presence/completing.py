"""Gets what this node does not know yet of a room: all of it, or the clients of one node."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from socketio_cluster.manager.presence.copies import Copy
from socketio_cluster.manager.presence.held_room import HeldRoom, RoomId
from socketio_cluster.manager.tasks import set_once

if TYPE_CHECKING:
    from socketio_cluster.manager.presence.rooms import PresenceRooms

RETRY: Final = 1.0
"""Seconds after which a node is asked again that has not answered."""
CANDIDATES: Final = 3
"""A new keeper asks so many nodes. One of them was a keeper before, unless two others started with it."""
ASKED_LATELY: Final = 5.0
"""Seconds after which a new keeper knows all nodes that were there before it, however busy they are."""
AT_ONCE: Final = 20
"""The most questions that wait for answers at the same time."""


class Completing:
    """Asks other nodes, and brings the answers into the books."""

    def __init__(self, rooms: PresenceRooms) -> None:
        self._rooms = rooms
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._repairs: dict[str, dict[RoomId, HeldRoom]] = {}
        self._waiters: dict[RoomId, asyncio.Future[None]] = {}

    async def wait(self, room: HeldRoom) -> None:
        """Return when this node knows what the keepers of a room know, or when they do not answer."""
        if not room.complete:
            waiter = self._waiters.setdefault(room.id, asyncio.get_running_loop().create_future())
            await asyncio.shield(waiter)

    def close(self) -> None:
        """Let nobody wait any more. The tasks that ask end with the others of this node."""
        waiters, self._waiters = self._waiters, {}
        for waiter in waiters.values():
            set_once(waiter, None)
        self._repairs.clear()

    def open(self) -> None:
        """Ask again for what was not answered before this node left the bus."""
        for room in self._rooms.held.values():
            if not room.found:
                self._search(room)
            for node in list(room.repairing):
                self.repair(node, room)

    def begin(self, room: HeldRoom) -> None:
        """Find out who is present in a room that is new to this node, or that it has begun to keep."""
        if self._rooms.manager.node.alone:
            room.found = True
            self._completed(room)
        else:
            room.complete = False
            self._search(room)

    def begin_again(self, room: HeldRoom, now: float) -> None:
        """Ask again if others would have to be asked now: this new keeper did not know them a moment ago.

        Meanwhile it answers others with what it has: it may be the only one that knows something.
        """
        if now - room.asked_at < ASKED_LATELY and room.asked != self._candidates(room):
            self._search(room)

    def met(self, stranger: str, room: HeldRoom) -> None:
        """Ask again if a node that is not known here says something about a room.

        It was there before this node, as otherwise its hello would have come first, and may keep the room.
        """
        if stranger not in room.strangers:
            room.strangers.add(stranger)
            self._search(room)

    def repair(self, node: str, *rooms: HeldRoom) -> None:
        """Ask a node for its clients in these rooms, of which changes were missed, and in those it finds."""
        for room in rooms:
            room.repairing.add(node)
        waiting = self._repairs.get(node)
        if waiting is not None:
            waiting.update({room.id: room for room in rooms})
            return
        self._repairs[node] = {room.id: room for room in rooms}
        self._rooms.manager.spawn(self._repair(node))

    def _search(self, room: HeldRoom) -> None:
        room.found = False
        room.search += 1
        self._rooms.manager.spawn(self._complete(room, room.search))

    async def _complete(self, room: HeldRoom, search: int) -> None:
        copy = None
        while copy is None and self._rooms.held.get(room.id) is room and room.search == search:
            async with self._turns:
                copy = await self._find(room)
            if copy is not None and room.search == search:
                self._take(room, copy)
            if not room.complete and room.search == search:
                self._completed(room)  # Clients are told what is known, though the others do not answer.
            if copy is None:
                await asyncio.sleep(RETRY)

    async def _find(self, room: HeldRoom) -> Copy | None:
        keepers, node = self._rooms.keepers, self._rooms.manager.node
        if not node.hears:
            return None
        await node.introduced()  # Before that, other nodes may keep the room than those that are known.
        if any(keepers.may_answer(each) for each in room.strangers - keepers.ring.nodes):
            return None  # A node that has kept the room until now is not known yet, as it is busy.
        if node.id not in room.keepers:
            return await self._rooms.exchange.find(room, room.keepers, keep=True)
        if keepers.settled(time.monotonic()):
            return Copy()  # Whoever has clients in the room would have told this keeper.
        room.asked, room.asked_at = self._candidates(room), time.monotonic()
        return await self._rooms.exchange.find(room, room.asked, keep=False)

    def _candidates(self, room: HeldRoom) -> tuple[str, ...]:
        """Return the nodes that a new keeper of a room asks."""
        return self._rooms.keepers.ring.after(*room.id, CANDIDATES, without=self._rooms.manager.node_id)

    def _take(self, room: HeldRoom, copy: Copy) -> None:
        for owner, each in copy.owners.items():
            if owner != self._rooms.manager.node_id:
                self._rooms.keepers.heard(owner, each.patience)
                room.book.replace(owner, each.version, each.entries)
        room.calls.told(copy.called, (), sure=False)
        # Who has left before the answer was given is among the keys called only. The leave is due then.
        room.book.changed.update(dict.fromkeys([*copy.called, *room.uncalled]))
        room.found = True
        room.uncalled.clear()
        room.strangers.clear()
        self._rooms.touch(room)

    def _completed(self, room: HeldRoom) -> None:
        room.complete = True
        if waiter := self._waiters.pop(room.id, None):
            set_once(waiter, None)
        self._catch_up(room)

    async def _repair(self, node: str) -> None:
        while self._rooms.keepers.may_answer(node) and (rooms := self._repairs.get(node)):
            self._repairs[node] = {}
            async with self._turns:
                found = await self._rooms.exchange.find_own(node, rooms.values())
            if found is None:
                self._repairs[node] = {**rooms, **self._repairs[node]}
                await asyncio.sleep(RETRY)
                continue
            for place, copy in found.items():
                room = self._rooms.hold(place)
                rooms.setdefault(place, room)
                if owner := copy.owners.get(node):
                    room.book.replace(node, owner.version, owner.entries)
            for place, room in rooms.items():
                if place not in found:
                    room.book.drop(node)
                room.repairing.discard(node)
                self._catch_up(room)
        for room in self._repairs.pop(node, {}).values():  # The node is gone.
            room.repairing.discard(node)
            room.waiting = [each for each in room.waiting if each[0] != node]

    def _catch_up(self, room: HeldRoom) -> None:
        """Carry out the changes that came meanwhile."""
        for node, change in room.take_waiting():
            # A node that has died meanwhile was dropped already, and must not come in again.
            if self._rooms.keepers.may_answer(node) and not room.change(node, change):
                self.repair(node, room)
        self._rooms.touch(room)
