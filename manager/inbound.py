"""``Inbound``: carries out the messages of other nodes for the clients of this node."""

from __future__ import annotations

import logging
from collections.abc import Collection, Coroutine
from typing import TYPE_CHECKING, Any

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.bus.messages import (
    Ack,
    Close,
    Disconnect,
    Dropped,
    Emit,
    Enter,
    Gone,
    Leave,
    Message,
    PassedOn,
    Recorded,
    Reply,
    SelectiveEmit,
    Taken,
    Unknown,
)
from socketio_cluster.manager.bus.presence_messages import PresenceCalled, PresenceChange, PresenceMissed
from socketio_cluster.manager.bus.query_messages import Finding, Query, Want
from socketio_cluster.manager.bus.requests import ENDED
from socketio_cluster.manager.clients.acks import RemoteAck
from socketio_cluster.manager.clients.packets import Encoded, check_readable, decode, encode_ack
from socketio_cluster.manager.errors import UNKNOWN_SID, EventTooLarge
from socketio_cluster.manager.ids import node_of

if TYPE_CHECKING:
    from socketio_cluster.manager.client_manager import ClusterManager
    from socketio_cluster.manager.clients.client import Client

logger = logging.getLogger("socketio_cluster.manager")


class Inbound:
    """Carries out the messages of other nodes.

    Events and answers are handled at once, in the order in which they come. A request that may wait for the
    bus or for a handler of the application runs in a task of its own, so that later messages do not wait.
    """

    def __init__(self, manager: ClusterManager) -> None:
        self._manager = manager

    def handle(self, origin: str, message: Message) -> None:
        """Carry out one message. Raises ``EnvelopeError`` for an event that no client could read."""
        match message:
            case Emit():
                self._emit(origin, message)
            case SelectiveEmit():
                self._selective_emit(origin, message)
            case Recorded() | Dropped():
                pass  # A sender repeats it after an outage, but this node reads it from the history.
            case PassedOn():
                self._passed_on(message)
            case Ack():
                self._ack(message)
            case Gone():
                self._manager.remote.acks.gone(message.request)
            case Reply():
                self._manager.remote.replied(origin, message)
            case Query():
                self._manager.replies.asked(origin, message)
            case Want():
                self._manager.replies.wanted(origin, message)
            case Finding():
                self._manager.queries.said(origin, message)
            case PresenceChange() | PresenceCalled():
                self._manager.present.heard(origin, message)
            case PresenceMissed():
                self._manager.present.keepers.told(message)
            case Enter():
                self._start_task(origin, message.request, self._enter(message))
            case Leave():
                self._start_task(origin, message.request, self._leave(message))
            case Close():
                self._start_task(origin, message.request, self._close(message))
            case Disconnect():
                self._start_task(origin, message.request, self._disconnect(message))
            case Taken():
                self._start_task(origin, message.request, self._taken(message))
            case Unknown():
                logger.debug("node %s is of a newer release, and says what this one does not know", origin)
            case _:
                logger.warning("node %s sent a %s, which is not for clients", origin, type(message).__name__)

    def _emit(self, origin: str, message: Emit) -> None:
        check_readable(message.parts, message.text)
        rooms = message.rooms
        if rooms is not None and (len(rooms) != 1 or node_of(rooms[0]) is not None):
            rooms = self._rooms_here(origin, message, rooms)
        reached = self._deliver(origin, message, rooms, message.skip)
        if message.ack:
            self._reached(origin, message, rooms, reached)

    def _selective_emit(self, origin: str, message: SelectiveEmit) -> None:
        event = message.event
        check_readable(event.parts, event.text)
        rooms = event.rooms
        if rooms is not None and not (message.except_ or message.where):
            rooms = self._rooms_here(origin, event, rooms)  # otherwise it came to the whole namespace
        callback = self._answer_to(origin, event) if event.ack else None
        self._reached(origin, event, rooms, self._manager.selective_emits.deliver(message, rooms, callback))

    def _reached(self, origin: str, message: Emit, rooms: list[Room] | None, clients: int) -> None:
        """Tell the emitting node when nobody will answer: the only client is gone."""
        if message.ack and not clients and rooms and message.rooms is not None and len(message.rooms) == 1:
            self._gone(origin, message.ack)

    def _deliver(self, origin: str, message: Emit, rooms: list[Room] | None, skip: Collection[str]) -> int:
        encoded = Encoded(message.parts, message.text, message.ack_at, message.ack_id)
        callback = self._answer_to(origin, message) if message.ack else None
        return self._manager.fanout.deliver(encoded, message.namespace, rooms, skip, callback)

    def _rooms_here(self, origin: str, message: Emit, rooms: list[Room]) -> list[Room]:
        """Return the rooms to serve now. Pass the emit on for rooms with the form of this node's sids.

        Rooms with the form of another node's sids are left to that node, which passes the emit on.
        """
        owners = [node_of(room) for room in rooms]
        node, pairs = self._manager.node, list(zip(rooms, owners, strict=True))
        self._pass_on(origin, message, [room for room, owner in pairs if owner == node.id])
        here, namespace = self._manager.is_sid_room, message.namespace  # A client may have come back here.
        return [room for room, owner in pairs if self._serves(owner, origin) or here(namespace, room)]

    def _serves(self, owner: str | None, emitter: str) -> bool:
        """Whether this node has to serve a room itself: the node ``owner`` will not pass the emit on."""
        node = self._manager.node
        return owner in (None, node.id, emitter) or not node.knows(str(owner))

    def _pass_on(self, origin: str, message: Emit, rooms: list[Room]) -> None:
        """Publish an emit to the channels of the rooms that are not a client's own room on this node."""
        node, namespace = self._manager.node, message.namespace
        rooms = [room for room in rooms if not self._manager.is_sid_room(namespace, room)]
        if rooms:
            channels = [node.channels.room(namespace, room) for room in rooms]
            node.post(PassedOn(origin, rooms, message), *channels)

    def _passed_on(self, message: PassedOn) -> None:
        """Deliver an emit that another node has passed on, for rooms with the form of that node's sids.

        A client that is also in one of the other rooms has got the event already, or gets it from there: from
        a room that this node serves itself, or from an earlier room that yet another node passes on.
        """
        event, manager = message.event, self._manager
        if message.emitter == manager.node_id:
            return
        rooms = event.rooms or []
        before = rooms[: rooms.index(message.rooms[0])]
        others = before + [room for room in rooms if self._serves(node_of(room), message.emitter)]
        served = {client.sid for client in manager.members.members(event.namespace, others)}
        self._deliver(message.emitter, event, message.rooms, served.union(event.skip))

    def _answer_to(self, origin: str, message: Emit) -> RemoteAck:
        request = message.ack
        return RemoteAck(
            lambda arguments: self._answer(origin, request, arguments),
            lambda: self._gone(origin, request),
            message.ack_seconds or None,
        )

    def _answer(self, origin: str, request: int, arguments: list[Any]) -> None:
        encoded = encode_ack(self._manager.packet_class, arguments)
        node = self._manager.node
        try:
            node.post(Ack(request, encoded.parts, encoded.text), node.channels.inbox(origin))
        except EventTooLarge as exc:
            logger.error("a client's answer to an emit of node %s is lost: %s", origin, exc)
            self._gone(origin, request)

    def _gone(self, origin: str, request: int) -> None:
        node = self._manager.node
        node.post(Gone(request), node.channels.inbox(origin))

    def _ack(self, message: Ack) -> None:
        callback = self._manager.remote.acks.answered(message.request)
        if callback is not None:
            packet = decode(self._manager.packet_class, message.parts, message.text)
            self._manager.fanout.run_callback(callback, packet.data)

    def _start_task(self, origin: str, request: int, work: Coroutine[Any, Any, str]) -> None:
        self._manager.spawn(self._carry_out(origin, request, work))

    async def _carry_out(self, origin: str, request: int, work: Coroutine[Any, Any, str]) -> None:
        try:
            error = await work
        except ValueError as exc:
            error = str(exc)
        except Exception as exc:
            logger.exception("a request of node %s failed", origin)
            error = f"{type(exc).__name__} on node {self._manager.node_id}"
        self._manager.remote.reply(origin, request, error)

    async def _enter(self, message: Enter) -> str:
        client = self._manager.members.find(message.sid, message.namespace)
        if client is None:
            return UNKNOWN_SID
        await self._manager.enter_room(message.sid, message.namespace, message.room, history=message.history)
        return await self._still_here(client)

    async def _leave(self, message: Leave) -> str:
        client = self._manager.members.find(message.sid, message.namespace)
        if client is None:
            return UNKNOWN_SID
        await self._manager.leave_room(message.sid, message.namespace, message.room)
        return await self._still_here(client)

    async def _still_here(self, client: Client) -> str:
        """Return nothing, or an error if the client has come back to another node, which has to be asked."""
        recovery = self._manager.recovery
        gone = recovery is not None and await recovery.sessions.is_taken(client)
        return UNKNOWN_SID if gone else ""

    async def _close(self, message: Close) -> str:
        members = self._manager.members.members(message.namespace, [message.room])
        await self._manager.may_leave(members)
        self._manager.basic_close_room(message.room, message.namespace)
        return ""

    async def _taken(self, message: Taken) -> str:
        recovery = self._manager.recovery
        if recovery is None:
            return ""
        place = message.sid, message.namespace
        if recovery.sessions.has_ended(*place):
            self._manager.spawn(recovery.arrivals.drop(*place))  # The client begins anew, and need not wait.
            return ENDED
        await recovery.arrivals.drop(*place)
        return ""

    async def _disconnect(self, message: Disconnect) -> str:
        if self._manager.members.find(message.sid, message.namespace) is None:
            return UNKNOWN_SID
        await self._manager.server.disconnect(message.sid, namespace=message.namespace)
        return ""
