"""The emits of an operator in a process that serves no clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from socketio_cluster.manager.checks import check_event
from socketio_cluster.manager.clients.client import Callback
from socketio_cluster.manager.clients.packets import Encoded, encode_event
from socketio_cluster.manager.queries.selective_emits import is_selective, route, selective

if TYPE_CHECKING:
    from socketio_cluster.manager.async_emitter import AsyncEmitter
    from socketio_cluster.manager.queries.selection import Aim


class EmitterEmits:
    """Publishes the emits."""

    def __init__(self, emitter: AsyncEmitter) -> None:
        self._emitter = emitter

    def encode(self, event: str, data: Any, aim: Aim, callback: Callback | None) -> Encoded:
        """Encode an event once for all. Raises ``TypeError`` for a callback: an emitter gets no acks."""
        if callback is not None:
            raise TypeError("an emitter takes no callback: use emit_with_ack")
        return encode_event(self._emitter.packet_class, check_event(event), data, aim.recipients.namespace)

    async def emit(
        self, encoded: Encoded, aim: Aim, callback: Callback | None = None, *, volatile: bool = False
    ) -> None:
        """Emit an event to its recipients. Returns when the bus has it. With ``local`` nobody gets it.

        Raises what ``AsyncEmitter.emit`` raises.
        """
        whom, emitter = aim.recipients, self._emitter

        def post() -> int:
            if emitter.recording.on and not volatile:
                return emitter.recording.post(encoded, whom, [])
            if not (is_selective(whom) or volatile):
                return emitter.remote.emit(encoded, whom.namespace, whom.rooms, [])
            channels = route(emitter.remote, whom)
            message = selective(encoded, whom, volatile=volatile)
            return emitter.node.post(message, *channels) if channels else 0

        if not aim.local:
            await emitter.publish(post)
