"""The messages between plain clients and the server, independent of their format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from socketio_cluster.manager.bus.channels import Room, check_room
from socketio_cluster.manager.clients.packets import RESERVED, Encoded, PacketClass, decode

LARGEST_ACK: Final = 2**53 - 1
"""The largest whole number that every JSON library keeps."""


class BadMessage(ValueError):
    """A client sent something that cannot be used.

    It gets the text, with the ``ack`` that it gave, if any.
    """

    def __init__(self, text: str, ack: int | None = None) -> None:
        super().__init__(text)
        self.ack = ack


@dataclass(frozen=True, slots=True)
class Message:
    """An event, the answer to one, or an error.

    ``event`` is the name of the event, None for an answer. ``args`` are the arguments of the event or of the
    answer. ``room`` is the one room that the server emitted to, or the first argument of a client's event.
    ``ack`` is the number of an event that wants an answer, and of its answer. ``error`` is a text for people;
    only the server sends it. ``id`` says how far the client has come; it may be the whole message. In its
    connect event a client that comes back gives the last ``id``, and its ``token``.
    """

    event: str | None = None
    args: tuple[Any, ...] = ()
    room: Room | None = None
    ack: int | None = None
    error: str | None = None
    id: str | None = None
    token: str | None = None


def check(message: Message) -> Message:
    """Return a client's message; raise ``BadMessage`` for one that no client may send."""
    number = message.ack
    if message.id is not None or message.token is not None:
        raise BadMessage("id and token belong into the connect event", number)
    if number is not None and not (type(number) is int and 0 <= number <= LARGEST_ACK):
        raise BadMessage("ack must be a whole number from 0 up to 2^53-1")
    if message.event is None:
        if number is None:
            raise BadMessage("a message needs an event, or as an answer the ack of the question")
        return message
    if not isinstance(message.event, str) or not message.event:
        raise BadMessage("event must be a text that is not empty", number)
    if message.event in RESERVED:
        raise BadMessage(f"event {message.event!r} is the server's own: give yours another name", number)
    if message.room is not None:
        _check_room(message.room, number)
    return message


def _check_room(room: object, number: int | None) -> None:
    if isinstance(room, bool) or not isinstance(room, str | int):
        raise BadMessage("room must be a text or a whole number", number)
    try:
        check_room(room)
    except ValueError as error:
        raise BadMessage(str(error), number) from None


def check_claim(message: Message) -> None:
    """Raise ``BadMessage`` for a connect event whose id and token are no texts."""
    for name, value in (("id", message.id), ("token", message.token)):
        if not isinstance(value, str | None):
            raise BadMessage(f"{name} is the text that the server gave", message.ack)


def emitted(
    packet_class: PacketClass, encoded: Encoded, room: Room | None, offset: str | None = None
) -> Message:
    """Return an event as it was emitted; raise the serializer's error for bytes that it cannot read."""
    packet = decode(packet_class, encoded.parts, encoded.text)
    event, *args = packet.data
    return Message(event=str(event), args=tuple(args), room=room, ack=packet.id, id=offset)
