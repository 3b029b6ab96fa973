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
        """Let nobody wait any more."""
        for waiter in self._waiters.values():
            set_once(waiter, None)

    def begin(self, room: HeldRoom) -> None:
        """Find out who is present in a room that is new to this node, or that it has begun to keep."""
        if self._rooms.manager.node.alone:
            self._completed(room)
        else:
            room.complete = False
            room.search += 1
            self._rooms.manager.spawn(self._complete(room, room.search))

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

    async def _complete(self, room: HeldRoom, search: int) -> None:
        copy = None
        while copy is None and self._rooms.held.get(room.id) is room and room.search == search:
            async with self._turns:
                copy = await self._find(room)
            if copy is not None:
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
        if node.id not in room.keepers:
            return await self._rooms.exchange.find(room, room.keepers, keep=True)
        if keepers.settled(time.monotonic()):
            return Copy()  # Whoever has clients in the room would have told this keeper.
        candidates = keepers.ring.after(*room.id, CANDIDATES, without=node.id)
        return await self._rooms.exchange.find(room, candidates, keep=False)

    def _take(self, room: HeldRoom, copy: Copy) -> None:
        for owner, (version, entries) in copy.owners.items():
            if owner != self._rooms.manager.node_id:
                self._rooms.keepers.heard(owner)
                room.book.replace(owner, version, entries)
        room.calls.told(copy.called, (), b"{}", first=False)

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
                if node in copy.owners:
                    room.book.replace(node, *copy.owners[node])
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
