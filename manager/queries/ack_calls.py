"""Events that every client answers, as a method of the manager and of the server."""

from __future__ import annotations

from functools import partial
from typing import Any, Final, NamedTuple, Unpack

import msgspec

from socketio_cluster.manager.bus.query_messages import AskClients
from socketio_cluster.manager.checks import check_event
from socketio_cluster.manager.clients.packets import PacketClass, decode, encode_event, shared_ack_id
from socketio_cluster.manager.queries.asking import Asking, Stream
from socketio_cluster.manager.queries.selection import Rooms, Whom, aim

LAST_WORDS: Final = 0.5
"""Seconds that a node has, after the time of its clients is over, to send the answers that it has."""

_answer: Final = msgspec.msgpack.Decoder(tuple[str, list[bytes], bool]).decode


class ClientAnswer(NamedTuple):
    """The answer of a client. ``data`` is None, a value, or a tuple of several, as ``call`` returns it."""

    sid: str
    data: Any


class AckCalls(Asking):
    """Asks the clients of all nodes."""

    def emit_with_ack(
        self, event: str, data: Any = None, room: Rooms | None = None, **whom: Unpack[Whom]
    ) -> Stream[ClientAnswer]:
        """Emit an event, and return the clients' answers: an awaitable, also for ``async for``.

        It ends when all clients have answered or are gone, or after ``timeout`` seconds. Clients that have
        not answered by then are left out. Nothing is kept afterwards, also when the caller stops earlier.

        Args:
            event: its name.
            data: as for ``emit``.
            room: a room or sid, several, or None for the whole namespace.
            whom: who else is meant or not; ``timeout`` is how many seconds the clients have.

        Raises:
            PartialAnswer: at the end, when a live node has not said in time that it is done, or could not ask
                its clients. ``answer`` holds what has come; in ``async for``, which has given it, nothing.
            ValueError, TypeError: at once, as ``emit`` and ``fetch_sockets``.
            EventTooLarge: when the waiting begins; nobody has got it.
        """
        target = aim(room, **whom)
        packet_class: PacketClass = self.cluster_manager.packet_class
        encoded = encode_event(
            packet_class, check_event(event), data, target.recipients.namespace, shared_ack_id()
        )

        def question(seconds: float) -> AskClients:
            self.cluster_manager.stats.emitted += 1
            return AskClients(encoded.parts, encoded.text, encoded.ack_at, encoded.ack_id, seconds)

        return self._stream(target, question, partial(_read, packet_class), LAST_WORDS)


def _read(packet_class: PacketClass, item: bytes) -> ClientAnswer:
    sid, parts, text = _answer(item)
    args = decode(packet_class, parts, text).data
    return ClientAnswer(sid, tuple(args) if len(args) > 1 else args[0] if args else None)
