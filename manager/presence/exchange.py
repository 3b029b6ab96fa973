"""What nodes tell and ask each other about presence."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

import msgspec

from socketio_cluster.manager.bus.channel_set import ChannelSet, reader
from socketio_cluster.manager.bus.presence_messages import (
    FindOwnPresence,
    FindPresence,
    PresenceCalled,
    PresenceChange,
    PresenceMissed,
)
from socketio_cluster.manager.bus.query_messages import Question, Recipients
from socketio_cluster.manager.presence.copies import ENTRIES, Copy, copies, parts, read
from socketio_cluster.manager.presence.held_room import HeldRoom, RoomId

if TYPE_CHECKING:
    from socketio_cluster.manager.member import ClusterMember

logger = logging.getLogger("socketio_cluster.manager")

HERE: Final = Recipients("/", None, [])
"""The recipients of a question that names its rooms itself."""


class Exchange:
    """Publishes what changes, and asks other nodes for what this node does not know."""

    def __init__(self, manager: ClusterMember) -> None:
        self._manager = manager

    def publish(self, room: HeldRoom) -> None:
        """Publish the changes of this node's clients in a room."""
        for change in room.own.take():
            message = PresenceChange(*room.id, change.since, change.version, change.entries, change.left)
            self._post(message, self._channels(room))

    def publish_calls(self, room: HeldRoom) -> int:
        """Tell the other keeper of a room for which keys this node calls handlers now.

        Returns the number of the last envelope, or 0 if there is nobody to tell.
        """
        joined, left = room.calls.take_untold()
        return self._called(room, joined, left, room.keepers[1:])

    def offer(self, room: HeldRoom, nodes: Iterable[str] | None = None) -> None:
        """Say how far this node is in a room, to nodes or to all whom it concerns.

        Those who know less ask.
        """
        version = room.own.version
        if version:
            channels = self._channels(room) if nodes is None else self._inboxes(room, nodes)
            self._post(PresenceChange(*room.id, version, version, [], []), channels)

    def hand_over(self, room: HeldRoom, nodes: Iterable[str]) -> None:
        """Tell new keepers of a room for which keys this node has called handlers, as its first keeper."""
        self._called(room, list(room.calls.joined), list(room.calls.left), nodes)

    def pass_on(self, room: HeldRoom, nodes: Iterable[str]) -> None:
        """Tell new keepers of a room for which keys this node knows that handlers were called."""
        self._called(room, list(room.calls.joined), [], nodes, passed_on=True)

    def tell_missed(self, node: str, ages: dict[str, float]) -> None:
        """Tell a node which others have died, and how many seconds ago."""
        self._manager.node.post(PresenceMissed(ages), self._manager.node.channels.inbox(node))

    def _called(
        self,
        room: HeldRoom,
        joined: list[str],
        left: list[str],
        nodes: Iterable[str],
        *,
        passed_on: bool = False,
    ) -> int:
        number = 0
        channels = self._inboxes(room, nodes)
        for part in parts(joined, ENTRIES) if joined else ():
            number = self._post(PresenceCalled(*room.id, part, [], passed_on), channels)
        for part in parts(left, ENTRIES) if left else ():
            number = self._post(PresenceCalled(*room.id, [], part, passed_on), channels)
        return number

    async def find(self, room: HeldRoom, nodes: Iterable[str], *, keep: bool) -> Copy | None:
        """Ask nodes, one after the other, for what they know of a room.

        Returns an empty copy if nobody knows anything, and None if nobody does who has answered.
        """
        namespace, name = room.id
        silent = False
        for node in nodes:
            found = await self._ask(node, Recipients(namespace, [name], []), FindPresence(keep))
            if found is None:
                silent = True
            elif room.id in found:
                return found[room.id]
        return None if silent else Copy()

    async def find_own(self, node: str, rooms: Iterable[HeldRoom]) -> dict[RoomId, Copy] | None:
        """Ask a node for its own clients in rooms, and in those that it takes this node to keep.

        Returns None if it does not answer.
        """
        channels = ChannelSet([self._manager.node.channels.room(*room.id) for room in rooms])
        return await self._ask(node, HERE, FindOwnPresence(self._manager.node_id, channels.raw))

    def own_copies(self, rooms: Iterable[HeldRoom], question: FindOwnPresence) -> Iterator[bytes]:
        """Return the answer to such a question. Raises ``ValueError`` for bytes that are no set."""
        holds, me = reader(question.channels), self._manager.node_id
        channel = self._manager.node.channels.room
        for room in list(rooms):
            if room.own.version and (question.asker in room.keepers or holds([channel(*room.id)])):
                yield from copies(room, {me: 0.0})

    async def _ask(self, node: str, whom: Recipients, question: Question) -> dict[RoomId, Copy] | None:
        manager = self._manager
        if not manager.node.hears:
            return None
        seconds = manager.options.request_seconds
        with manager.queries.open([node], whom, question, seconds, patience=seconds) as asked:
            items = await asked.items()
        whole = manager.node.knows(node) and not asked.poll.missing and not asked.poll.failures
        try:
            return read(items) if whole else None
        except msgspec.MsgspecError:
            logger.exception("node %s gives an answer about presence that cannot be read", node)
            return None

    def _channels(self, room: HeldRoom) -> list[str]:
        """Return the channels of those who have to know: nodes with clients in the room, and its keepers."""
        others = [keeper for keeper in room.keepers if keeper != self._manager.node_id]
        return [self._manager.node.channels.room(*room.id), *self._inboxes(room, others)]

    def _inboxes(self, room: HeldRoom, nodes: Iterable[str]) -> list[str]:
        """Return the inboxes of nodes that keep the order with what is said to all in the room."""
        inbox = self._manager.node.channels.inbox_beside
        return [inbox(node, *room.id) for node in nodes]

    def _post(self, message: PresenceChange | PresenceCalled, channels: list[str]) -> int:
        return self._manager.node.post(message, *channels) if channels else 0
