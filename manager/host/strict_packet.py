"""A packet class that reads and writes Socket.IO packets as strictly as the JavaScript parser.

python-socketio accepts any number of attachments, missing attachments and text in their place. It also
accepts events named ``connect`` or ``disconnect``, and then runs the application's handlers of that name. And
it writes packets that no JavaScript client accepts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from socketio import packet as sio

from socketio_cluster.manager.clients.compact_json import packet_json
from socketio_cluster.manager.clients.packets import MAX_ATTACHMENTS, PacketClass, is_event_name

_EVENTS: Final = (sio.EVENT, sio.BINARY_EVENT)
_ACKS: Final = (sio.ACK, sio.BINARY_ACK)
_BINARY: Final = (sio.BINARY_EVENT, sio.BINARY_ACK)


class BadPacket(ValueError):
    """A client sent a packet that no Socket.IO client sends."""


def strict_packet_class(plain: PacketClass) -> PacketClass:
    """Return a strict variant of a packet class, which it has as its attribute ``plain``.

    The variant raises ``BadPacket`` for packets from clients that break the protocol, and ``ValueError``
    instead of writing a packet that JavaScript clients refuse.
    """
    own = {"plain": plain, "json": packet_json(plain.json)}
    return type(f"Checked{plain.__name__}", (_StrictPacket, plain), own)


class _StrictPacket(sio.Packet):  # type: ignore[misc]
    """A base class to put before any packet class."""

    def encode(self) -> Any:
        """Encode the packet.

        Raises ``ValueError`` for what makes clients disconnect: too many attachments, or beside attachments
        data that looks like the place of one.
        """
        encoded = super().encode()
        if not isinstance(encoded, list):
            return encoded
        if len(encoded) > 1 + MAX_ATTACHMENTS:
            raise ValueError(
                f"{len(encoded) - 1} binary values in one packet, clients take {MAX_ATTACHMENTS}:"
                " put them into one value, or use the msgpack serializer"
            )
        if next(_numbers(self.data), self) is not self:
            name = f"event {self.data[0]!r:.80}: " if self.packet_type in _EVENTS else ""
            raise ValueError(
                f'{name}a dict with "_placeholder" cannot be beside binary values:'
                " clients take it for the place of one"
            )
        return encoded

    def decode(self, encoded_packet: str | bytes) -> int:
        """Read a packet and return the number of attachments that follow. Raises ``BadPacket``."""
        try:
            attachments: int = super().decode(encoded_packet) or 0
        except Exception as exc:  # msgpack, JSON and custom formats may raise any error.
            raise BadPacket(f"{type(exc).__name__}: {exc}") from exc
        if not 1 <= attachments <= MAX_ATTACHMENTS if self.packet_type in _BINARY else attachments:
            raise BadPacket(f"{attachments} attachments")
        if not _addressed(self.packet_type, self.namespace, self.id):
            raise BadPacket("a type, a namespace or an id that is none")
        if not _valid(self.packet_type, self.data):
            raise BadPacket("invalid payload")
        if attachments and not _complete(self.data, attachments):
            raise BadPacket(f"not one placeholder for each of {attachments} attachments")
        return attachments

    def add_attachment(self, attachment: str | bytes) -> bool:
        """Add an attachment and return whether it is the last one. Raises ``BadPacket``."""
        if isinstance(attachment, str):
            raise BadPacket("text where an attachment is due")
        try:
            return super().add_attachment(attachment)  # type: ignore[no-any-return]
        except Exception as exc:  # A packet class of the application may raise any error.
            raise BadPacket(f"{type(exc).__name__}: {exc}") from exc


def _addressed(kind: Any, namespace: Any, ack_id: Any) -> bool:
    """Whether the values have the types of JSON packets. In msgpack a client may send any type."""
    numbers = (kind,) if ack_id is None else (kind, ack_id)
    return all(map(_is_whole, numbers)) and isinstance(namespace, str | None)


def _complete(data: Any, attachments: int) -> bool:
    """Whether each attachment has exactly one place. One with many places would be sent on many times."""
    numbers = list(_numbers(data))
    whole = len(numbers) == attachments and all(map(_is_whole, numbers))
    return whole and set(numbers) == set(range(attachments))


def _numbers(data: Any) -> Iterator[Any]:
    """Yield the number of each placeholder in the data, at any depth."""
    waiting = [data]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list | tuple):
            waiting += value
        elif isinstance(value, dict):
            if _is_place(value):
                yield value.get("num")
            else:
                waiting += value.values()


def _is_place(value: dict[Any, Any]) -> bool:
    """Whether clients take this for the place of an attachment.

    JavaScript clients look for ``true`` alone, Python clients for any true value and a ``num``.
    """
    mark = value.get("_placeholder")
    return mark is True or bool(mark and "num" in value)


def _valid(kind: int, data: Any) -> bool:
    if kind in _EVENTS:
        return isinstance(data, list) and bool(data) and is_event_name(data[0])
    if kind in _ACKS:
        return isinstance(data, list)
    if kind == sio.DISCONNECT:
        return data is None
    # JavaScript wants an object, but python-socketio lets its clients send any value as auth.
    return bool(kind == sio.CONNECT)


def _is_whole(number: Any) -> bool:
    return isinstance(number, int) and not isinstance(number, bool)
