"""``Inward``: carries out what the foreign cluster says, for the clients of ours."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from socketio_cluster.manager.bridge.bridge_manager import BridgeManager
from socketio_cluster.manager.bridge.commands import (
    Answer,
    Ask,
    Close,
    Command,
    Disconnect,
    Enter,
    Event,
    Expel,
    Join,
    Leave,
    Part,
    Question,
    Selective,
    ServerAnswer,
    ServerEvent,
    Told,
)
from socketio_cluster.manager.bridge.dialect import BridgeError
from socketio_cluster.manager.bus.messages import Ack
from socketio_cluster.manager.clients.packets import encode_ack
from socketio_cluster.manager.errors import ClusterError, PartialAnswer
from socketio_cluster.manager.queries.selection import Whom

logger = logging.getLogger("socketio_cluster.manager")

HANDLER_SECONDS: Final = 4.0
"""How long handlers of server events may take: Node.js's adapters wait for 5 seconds."""


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
                case Join() | Part() | Expel():
                    await self._move(command)
                case ServerEvent(reply_to=None):
                    name, *args = command.args
                    await manager.server_side_emit(name, tuple(args), namespace=command.namespace)
                case Ask() | ServerEvent():
                    manager.spawn(self._ask(command))
        except (ClusterError, TypeError, ValueError) as exc:
            raise BridgeError("rejected", f"{type(command).__name__}: {exc}") from exc

    async def _emit(self, event: Event) -> None:
        name, *args = event.args
        callback = None if event.reply_to is None else partial(self._reply, event.reply_to)
        more: dict[str, Any] = {"except_": list(event.except_)} if event.except_ else {}
        more |= {"volatile": True} if event.volatile else {}
        await self._manager.emit(
            name,
            tuple(args),
            event.namespace,
            room=event.rooms,
            skip_sid=list(event.skip),
            callback=callback,
            **more,
        )

    async def _move(self, command: Selective) -> None:
        manager, chosen = self._manager, command.whom
        whom: Whom = {"namespace": chosen.namespace, "except_": list(chosen.except_)}
        match command:
            case Join():
                await manager.sockets_join(command.into, chosen.rooms, **whom)
            case Part():
                await manager.sockets_leave(command.out_of, chosen.rooms, **whom)
            case Expel():
                await manager.disconnect_sockets(chosen.rooms, **whom)

    async def _ask(self, question: Question) -> None:
        """Ask our nodes, and tell the foreign node that wants to know. It hears nothing if one is silent."""
        try:
            self._send(await self._answer_to(question))
        except (ClusterError, BridgeError, TypeError, ValueError) as exc:
            logger.warning("a question of the foreign cluster was not answered: %s", exc)

    async def _answer_to(self, question: Question) -> Command:
        manager = self._manager
        if isinstance(question, ServerEvent):
            name, *args = question.args
            try:
                results = await manager.server_side_emit_with_ack(
                    name, tuple(args), namespace=question.namespace, timeout=HANDLER_SECONDS
                )
            except PartialAnswer as exc:
                results = exc.answer  # a server without a handler has no result, and is no error in Node.js
            return ServerAnswer(question.reply_to, list(results.values()))
        chosen = question.whom
        whom: Whom = {"namespace": chosen.namespace, "except_": list(chosen.except_)}
        ask = manager.count if question.count else manager.fetch_sockets
        return Told(question.reply_to, await ask(chosen.rooms, **whom))

    def _reply(self, reply_to: Any, *args: Any) -> None:
        """Give a client's answer to the foreign node that has asked."""
        self._send(Answer(reply_to, list(args)))

    def _answer(self, answer: Answer) -> None:
        """Give a foreign client's answer to our node that has asked."""
        node, request = answer.reply_to
        encoded = encode_ack(self._manager.packet_class, answer.args)
        self._manager.answer(node, Ack(request, encoded.parts, encoded.text))
