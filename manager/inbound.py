"""What other nodes ask of this one, carried out on its own clients."""

from __future__ import annotations

import logging
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from socketio_cluster.manager.bus.messages import (
    Ack,
    Close,
    Disconnect,
    Emit,
    Enter,
    Gone,
    Leave,
    Message,
    Reply,
)
from socketio_cluster.manager.clients.acks import RemoteAck
from socketio_cluster.manager.clients.packets import Encoded, decode, encode_ack
from socketio_cluster.manager.errors import UNKNOWN_SID, EnvelopeError, EventTooLarge

if TYPE_CHECKING:
    from socketio_cluster.manager.client_manager import ClusterManager

logger = logging.getLogger("socketio_cluster.manager")


class Inbound:
    """Carries out messages of other nodes.

    Events and answers are handled at once, in the order they come; what may wait for the bus or for a
    handler of the application runs in a task of its own, so that nothing behind it waits too.
    """

    def __init__(self, manager: ClusterManager) -> None:
        self._manager = manager

    def handle(self, origin: str, message: Message) -> None:
        """Carry out one message."""
        match message:
            case Emit():
                self._emit(origin, message)
            case Ack():
                self._ack(message)
            case Gone():
                self._manager.remote.acks.gone(message.request)
            case Reply():
                self._manager.remote.replied(origin, message)
            case Enter():
                self._later(origin, message.request, self._enter(message))
            case Leave():
                self._later(origin, message.request, self._leave(message))
            case Close():
                self._later(origin, message.request, self._close(message))
            case Disconnect():
                self._later(origin, message.request, self._disconnect(message))
            case _:
                logger.warning("node %s sent a %s, which is not for clients", origin, type(message).__name__)

    def _emit(self, origin: str, message: Emit) -> None:
        _check(message)
        manager = self._manager
        encoded = Encoded(message.parts, message.text, message.ack_at)
        callback = self._answer_to(origin, message.ack) if message.ack else None
        reached = manager.fanout.deliver(encoded, message.namespace, message.rooms, message.skip, callback)
        if message.ack and not reached and message.rooms is not None and len(message.rooms) == 1:
            self._gone(origin, message.ack)

    def _answer_to(self, origin: str, request: int) -> RemoteAck:
        return RemoteAck(
            lambda arguments: self._answer(origin, request, arguments),
            lambda: self._gone(origin, request),
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

    def _later(self, origin: str, request: int, work: Coroutine[Any, Any, str]) -> None:
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
        if self._manager.members.find(message.sid, message.namespace) is None:
            return UNKNOWN_SID
        await self._manager.enter_room(message.sid, message.namespace, message.room)
        return ""

    async def _leave(self, message: Leave) -> str:
        if self._manager.members.find(message.sid, message.namespace) is not None:
            await self._manager.leave_room(message.sid, message.namespace, message.room)
        return ""

    async def _close(self, message: Close) -> str:
        self._manager.basic_close_room(message.room, message.namespace)
        return ""

    async def _disconnect(self, message: Disconnect) -> str:
        manager = self._manager
        if manager.members.find(message.sid, message.namespace) is not None:
            await manager.server.disconnect(message.sid, namespace=message.namespace)
        return ""


def _check(message: Emit) -> None:
    """Refuse what no client could read: it would close the connection of each."""
    if not message.parts:
        raise EnvelopeError("malformed", "an event without a packet")
    head = message.parts[0]
    if message.text and not head.isascii():
        try:
            head.decode()
        except UnicodeDecodeError as exc:
            raise EnvelopeError("malformed", f"an event that is not UTF-8: {exc}") from None
