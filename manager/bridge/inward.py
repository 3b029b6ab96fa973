"""``Inward``: carries out what the foreign cluster says, for the clients of ours."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from socketio_cluster.manager.bridge.bridge_manager import BridgeManager
from socketio_cluster.manager.bridge.commands import (
    Answer,
    Close,
    Command,
    Disconnect,
    Enter,
    Event,
    Leave,
)
from socketio_cluster.manager.bridge.dialect import BridgeError
from socketio_cluster.manager.bus.messages import Ack
from socketio_cluster.manager.clients.packets import encode_ack
from socketio_cluster.manager.errors import ClusterError


class Inward:
    """Carries out commands.

    Each is done before the next one begins, as a foreign node does it: so an event comes after the join that
    was asked for before it.

    Args:
        manager: this process as a node of our cluster.
        send: gives a command to the foreign cluster. It raises ``BridgeError``.
    """

    def __init__(self, manager: BridgeManager, send: Callable[[Command], None]) -> None:
        self._manager = manager
        self._send = send

    async def carry_out(self, command: Command) -> None:
        """Carry out a command. Raises ``BridgeError`` for one that cannot be carried out."""
        manager = self._manager
        try:
            match command:
                case Event():
                    await self._emit(command)
                case Answer():
                    self._answer(command)
                case Enter(namespace, sid, room):
                    if await manager.has(namespace, sid):
                        await manager.enter_room(sid, namespace, room)
                case Leave(namespace, sid, room):
                    if await manager.has(namespace, sid):
                        await manager.leave_room(sid, namespace, room)
                case Close(namespace, room):
                    await manager.close_room(room, namespace)
                case Disconnect(namespace, sid):
                    if await manager.has(namespace, sid):
                        await manager.remote.disconnect(namespace, sid)
        except (ClusterError, TypeError, ValueError) as exc:
            raise BridgeError("rejected", f"{type(command).__name__}: {exc}") from exc

    async def _emit(self, event: Event) -> None:
        name, *args = event.args
        callback = None if event.reply_to is None else partial(self._reply, event.reply_to)
        more: dict[str, Any] = {"except_": list(event.except_)} if event.except_ else {}
        await self._manager.emit(
            name,
            tuple(args),
            event.namespace,
            room=event.rooms,
            skip_sid=list(event.skip),
            callback=callback,
            **more,
        )

    def _reply(self, reply_to: Any, *args: Any) -> None:
        """Give a client's answer to the foreign node that has asked."""
        self._send(Answer(reply_to, list(args)))

    def _answer(self, answer: Answer) -> None:
        """Give a foreign client's answer to our node that has asked."""
        node, request = answer.reply_to
        encoded = encode_ack(self._manager.packet_class, answer.args)
        self._manager.answer(node, Ack(request, encoded.parts, encoded.text))
