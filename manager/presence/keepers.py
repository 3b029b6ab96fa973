"""``Keepers``: which nodes there are, which rooms this one keeps, and what happens when a node is gone."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from socketio_cluster.manager.bus.presence_messages import PresenceMissed
from socketio_cluster.manager.presence.completing import CANDIDATES
from socketio_cluster.manager.presence.held_room import HeldRoom
from socketio_cluster.manager.presence.ring import Ring

if TYPE_CHECKING:
    from socketio_cluster.manager.presence.rooms import PresenceRooms

SETTLED: Final = 10.0
"""Seconds after which all have told a new keeper of the rooms that it keeps now."""
HANDED_OVER: Final = 30.0
"""Seconds after which a new keeper has asked the former one."""
QUIET: Final = 2.0
"""Seconds in which those who took a node for dead have handed over to it what they did in its place."""
RETURN: Final = 600.0
"""Seconds for which a node that is gone is remembered, because it may be back with the same clients."""


class Keepers:
    """The live nodes, and those that are gone. Times are in seconds."""

    def __init__(self, rooms: PresenceRooms) -> None:
        self._rooms = rooms
        self._me = rooms.manager.node_id
        self.ring = Ring()
        self.ring.add(self._me)
        self._changed = False
        self._changed_at = time.monotonic()
        self._gone: dict[str, float] = {}
        """Until when the clients of nodes that are gone count as present."""
        self.missed: dict[str, float] = {}
        """The nodes that died and may be back, by the time of their death: what they say is missed."""
        self._newcomers: dict[str, float] = {}
        """When each node that has come is told whom it may not know, as they have died before."""
        self._met_at = 0.0
        """When this node has heard of the first other one."""
        self._turn_at = self._quiet_until = 0.0
        self._stats = rooms.manager.stats
        self._cuts, self._lost = self._stats.reconnects, self._stats.lost + self._stats.gaps

    @property
    def waits(self) -> bool:
        """Whether something happens after some time, although no room is held."""
        return bool(self._changed or self._gone or self._newcomers)

    def settled(self, now: float) -> bool:
        """Whether a keeper knows all its rooms, because no node has come or gone lately."""
        return now - self._changed_at > SETTLED

    def complete(self, now: float) -> bool:
        """Whether no node is away that may be back, also none that this one has never heard."""
        return not self.missed and self.settled(now) and now - self._met_at > self._noticed + SETTLED

    @property
    def _noticed(self) -> float:
        """Seconds after which all have noticed the death of a node that a new one has not heard any more."""
        return 2 * self._rooms.manager.options.dead_after

    def may_answer(self, node: str) -> bool:
        """Whether a node is there, or may be: it may have said something before its hello has come here."""
        return node in self.ring.nodes or (node in self._gone and node not in self.missed)

    def quiet(self, now: float) -> bool:
        """Whether handlers are not called, because this node was away itself and others called them."""
        return now < self._quiet_until

    def here(self, node: str, *, greets: bool) -> None:
        """Note that a node has come.

        One that does not greet, although this node knows all others, was there before, in the other half of
        a split cluster: what it has said is missed.
        """
        if node in self.ring.nodes:
            return
        now = time.monotonic()
        if len(self.ring.nodes) == 1:
            self._met_at = now
        self.ring.add(node)
        self._note_change()
        self._newcomers[node] = now + self._noticed
        unheard = not greets and self._rooms.manager.node.acquainted
        if self.missed.pop(node, None) is not None or unheard:
            self._rooms.completing.repair(node, *self._rooms.held.values())

    def gone(self, node: str, *, died: bool) -> None:
        """Note that a node has left, or has not been heard for ``dead_after``.

        Its clients may be on their way to another node. They have the time that a client has whose connection
        is lost, from when the node was last heard.
        """
        if node not in self.ring.nodes or node == self._me:
            return
        self.ring.remove(node)
        self._newcomers.pop(node, None)
        self._note_change()
        options, now = self._rooms.manager.options, time.monotonic()
        if died:
            self.missed[node] = now
        self._gone[node] = now + options.presence_grace - (options.dead_after if died else 0.0)
        for room in self._rooms.held.values():
            if node in room.book.owners:
                room.book.lose(node)
                self._rooms.touch(room)

    def told(self, message: PresenceMissed) -> None:
        """Miss the nodes that others miss: they may be back, and this one has never heard them."""
        now = time.monotonic()
        for node, age in message.ages.items():
            if node not in self.ring.nodes:
                self.missed.setdefault(node, now - age)

    def heard(self, node: str, patience: float | None = None) -> None:
        """Note that a node has said something, or that another one has patience with it for so many seconds.

        It may have said nothing else yet, or be taken for dead.
        """
        if node not in self.ring.nodes and node not in self._gone:
            options = self._rooms.manager.options
            self._gone[node] = time.monotonic() + (options.dead_after if patience is None else patience)

    def unknown(self, node: str) -> bool:
        """Whether a node has said no hello here, and is not taken for dead either."""
        return node not in self.ring.nodes and node not in self.missed

    def patience(self, nodes: Iterable[str]) -> dict[str, float]:
        """Return for each node how long its clients count as present if nothing more is heard of it."""
        node, options, now = self._rooms.manager.node, self._rooms.manager.options, time.monotonic()
        whole = max(options.dead_after, options.presence_grace)

        def left(each: str) -> float:
            if each == self._me:
                return whole
            silence = node.silence(each, now)
            return self._gone[each] - now if each in self._gone else max(0.0, whole - silence)

        return {each: left(each) for each in nodes}

    def turn(self, now: float) -> None:
        """Do what is due."""
        if self._turn_at and now - self._turn_at > self._rooms.manager.options.dead_after / 2:
            self._quiet_until = now + QUIET
        self._turn_at = now
        if self._changed:
            self._changed = False
            for room in list(self._rooms.held.values()):
                self._assign(room, now)
        for node in [node for node, until in self._gone.items() if now >= until]:
            del self._gone[node]
            if node not in self.ring.nodes:
                self._drop(node)
        for node in [node for node, since in self.missed.items() if now - since > RETURN]:
            del self.missed[node]
        for node in [node for node, due in self._newcomers.items() if now >= due]:
            del self._newcomers[node]
            self._tell_missed(node, now)
        self._heal(now)

    def rest(self) -> None:
        """Note that there are no turns for a while, because there is nothing to do."""
        self._turn_at = 0.0

    def _note_change(self) -> None:
        self._changed = True
        self._changed_at = time.monotonic()
        self._rooms.wake()

    def _tell_missed(self, node: str, now: float) -> None:
        """Tell a node that has come whom it misses, if this is one of the few that do."""
        if self.missed and self._me in self.ring.after("", node, CANDIDATES, without=node):
            self._rooms.exchange.tell_missed(node, {each: now - at for each, at in self.missed.items()})

    def _assign(self, room: HeldRoom, now: float) -> None:
        """Find the keepers of a room, and hand it over to new ones."""
        before, room.keepers = room.keepers, self.ring.keepers(*room.id)
        if room.keepers == before:
            self._rooms.completing.begin_again(room, now)
            return
        exchange, first = self._rooms.exchange, room.keepers[:1]
        new = [node for node in room.keepers if node not in (*before, self._me)]
        if before[:1] == (self._me,):
            room.led_until = now + SETTLED
        if now < room.led_until:
            exchange.hand_over(room, {*new, *first} - {self._me})
        elif self._me in before or first == (self._me,):
            # The other former keeper may be dead and not missed yet: then nobody else tells them of the room.
            exchange.pass_on(room, new)
        exchange.offer(room, new)
        if (self._me in before) != (self._me in room.keepers):
            if self._me in before and room.complete:
                room.kept_until = now + HANDED_OVER
            self._rooms.completing.begin(room)
        else:
            self._rooms.completing.begin_again(room, now)
        room.book.changed.update(dict.fromkeys([*room.book.keys, *room.calls.joined]))
        self._rooms.touch(room)

    def _drop(self, node: str) -> None:
        for room in self._rooms.held.values():
            if node in room.book.owners:
                room.book.drop(node)
                self._rooms.touch(room)

    def _heal(self, now: float) -> None:
        """After a cut tell the others how far this node is, and ask for what was lost."""
        if self._stats.reconnects != self._cuts:
            self._cuts = self._stats.reconnects
            self._quiet_until = now + QUIET
            for room in self._rooms.held.values():
                self._rooms.exchange.offer(room)
        if self._stats.lost + self._stats.gaps != self._lost:
            self._lost = self._stats.lost + self._stats.gaps
            for node in self.ring.nodes - {self._me}:
                self._rooms.completing.repair(node, *self._rooms.held.values())
