"""Socket.IO packets, which the emitting node encodes once for all clients.

``encode`` returns an ``Encoded``: the packet and its attachments as bytes, ready for the wire and for the
envelope. An emit with a callback needs an ack id. In the JSON format each client's node chooses the id and
inserts it at ``ack_at``. In other formats the place is unknown, and decoding a packet may fail although
encoding it worked. There one ``ack_id``, the same for all clients, is in the packet from the start.
"""

from __future__ import annotations

import json as standard_json
from functools import cache
from math import isfinite
from secrets import randbits
from typing import Any, Final

import engineio.json
import msgspec
from msgspec.structs import replace
from socketio import packet as sio

from socketio_cluster.manager.clients.compact_json import dumps, quoted_pair
from socketio_cluster.manager.errors import NO_EVENT, EnvelopeError, SettingError
from socketio_cluster.manager.extras import require_package

PacketClass = type[sio.Packet]

MAX_ATTACHMENTS: Final = 10
"""The most attachments of one packet that socket.io-parser takes, since 4.2.6, on either side."""
SHARED_IDS: Final = 2**30
"""The lowest ack id that all clients of an emit share. The ids that count up for one client stay below it."""
RESERVED: Final = frozenset(
    ("connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener")
)
"""Names that socket.io-parser refuses for an event, and that the Node.js server refuses to emit."""


class Encoded(msgspec.Struct, frozen=True, gc=False):
    """A packet as bytes.

    ``parts`` holds the packet and then its attachments. ``text`` tells whether the packet is text.
    ``ack_at`` is the place where an ack id is inserted, or -1 if there is none. ``ack_id`` is the id that the
    packet already contains, or 0.
    """

    parts: list[bytes]
    text: bool
    ack_at: int = -1
    ack_id: int = 0

    @property
    def size(self) -> int:
        """The number of bytes in all parts."""
        parts = self.parts
        return len(parts[0]) if len(parts) == 1 else sum(map(len, parts))


def shared_ack_id() -> int:
    """Make an ack id for all clients of one emit.

    It has 31 bits, because some clients keep ids in a 32-bit number. If the id is already in use for a
    client, that client's node gives the client another one.
    """
    return SHARED_IDS + randbits(30)


def is_event_name(name: Any) -> bool:
    """Whether an event may have this name: a text that is not reserved, or a finite number."""
    if isinstance(name, str):
        return name not in RESERVED
    return isinstance(name, int | float) and not isinstance(name, bool) and isfinite(name)


def check_event_name(name: Any) -> None:
    """Raise ``ValueError`` for an empty or reserved name, and ``TypeError`` for a name of another type.

    A JavaScript client that received such an event would disconnect with "parse error".
    """
    if name == "":
        raise ValueError(NO_EVENT)
    if is_event_name(name):
        return
    if isinstance(name, str):
        raise ValueError(f"{name!r} is the name of Socket.IO's own event: give yours another name")
    raise TypeError(f"the name of an event is a text or a finite number, not {name!r:.80}")


@cache
def is_standard(packet_class: PacketClass) -> bool:
    """Whether this class writes Socket.IO's JSON format with the standard ``json`` module."""
    plain = _plain(packet_class)
    same = plain.encode is sio.Packet.encode and plain.decode is sio.Packet.decode
    return same and plain.json is engineio.json


def packet_format(serializer: str | PacketClass, json: Any = None) -> PacketClass:
    """Return the packet class for python-socketio's settings ``serializer`` and ``json``.

    Raises ``SettingError`` for an unknown serializer, or for msgpack if that is not installed.
    """
    if serializer == "msgpack":
        require_package("msgpack", what="serializer='msgpack'")
        from socketio.msgpack_packet import MsgPackPacket

        return MsgPackPacket  # type: ignore[no-any-return]
    chosen = sio.Packet if serializer == "default" else serializer
    if isinstance(chosen, str):
        raise SettingError(f"serializer must be 'default', 'msgpack' or a packet class, not {chosen!r}")
    return chosen if json is None else type(chosen.__name__, (chosen,), {"json": json})


def encode_event(
    packet_class: PacketClass, event: str, data: Any, namespace: str, ack_id: int = 0
) -> Encoded:
    """Encode an EVENT packet.

    Args:
        packet_class: the format.
        event: its name.
        data: its argument. A tuple stands for several arguments, and None for no argument.
        namespace: for example ``/``.
        ack_id: the id for formats that need one now; the JSON format ignores it.

    Raises:
        ValueError: the name is reserved, or there are more than ``MAX_ATTACHMENTS`` binary values.
        TypeError: the name is neither text nor number, or JSON cannot hold the data. A serializer of the
            application may raise other errors.
    """
    named = type(event) is str
    if not named or not event or event in RESERVED:  # nearly never, and a call costs time
        check_event_name(event)
    arguments = [] if data is None else list(data) if isinstance(data, tuple) else [data]
    if is_standard(packet_class):  # type: ignore[arg-type]
        try:
            if named and type(data) is str:
                body = quoted_pair(event, data)
            else:
                body = dumps([event, *arguments]).encode()
        except (TypeError, ValueError, RecursionError):
            pass  # The data holds bytes or NaN, or an error that the general way below describes better.
        else:
            head = b"2" if namespace == "/" else b"2%s," % namespace.encode()
            return Encoded([head + body], True, len(head))
    if has_ack_place(packet_class):  # type: ignore[arg-type]
        ack_id = 0
    packet = packet_class(sio.EVENT, namespace=namespace, data=[event, *arguments], id=ack_id or None)
    return replace(encode(packet), ack_id=ack_id)


def encode_ack(packet_class: PacketClass, arguments: list[Any]) -> Encoded:
    """Encode the arguments of a client's ACK, to send them to another node."""
    return encode(_plain(packet_class)(sio.ACK, namespace="/", data=arguments))


def encode(packet: sio.Packet) -> Encoded:
    """Encode any packet. Raises what the packet's serializer raises."""
    encoded = packet.encode()
    parts = encoded if isinstance(encoded, list) else [encoded]
    text = isinstance(parts[0], str)
    raw = [part.encode() if isinstance(part, str) else bytes(part) for part in parts]
    place = has_ack_place(type(packet)) and packet.id is None  # type: ignore[arg-type]
    return Encoded(raw, text, _ack_at(raw[0], packet.namespace) if place else -1)


def decode(packet_class: PacketClass, parts: list[bytes], text: bool) -> sio.Packet:
    """Decode a packet that a node has encoded. Raises what the serializer raises for bytes it cannot read."""
    packet = _lenient(_plain(packet_class))(encoded_packet=parts[0].decode() if text else parts[0])  # type: ignore[arg-type]
    for attachment in parts[1:]:
        packet.add_attachment(attachment)
    return packet


def check_readable(parts: list[bytes], text: bool) -> None:
    """Raise ``EnvelopeError`` for an event that no client could read: every client would disconnect."""
    if not parts:
        raise EnvelopeError("malformed", "an event without a packet")
    head = parts[0]
    if text and not head.isascii():
        try:
            head.decode()
        except UnicodeDecodeError as exc:
            raise EnvelopeError("malformed", f"an event that is not UTF-8: {exc}") from None


def with_ack_id(packet_class: PacketClass, encoded: Encoded, ack_id: int) -> Encoded:
    """Return the packet with this ack id. Usually the packet contains it already."""
    if encoded.ack_id == ack_id:
        return encoded
    if encoded.ack_at >= 0:
        head, at = encoded.parts[0], encoded.ack_at
        return replace(encoded, parts=[b"%s%d%s" % (head[:at], ack_id, head[at:]), *encoded.parts[1:]])
    packet = decode(packet_class, encoded.parts, encoded.text)
    packet.id = ack_id
    return replace(encode(packet), ack_id=ack_id)


def _plain(packet_class: PacketClass) -> PacketClass:
    """Return the class without the strict checks, which are only for packets from and to clients."""
    return getattr(packet_class, "plain", packet_class)


@cache
def _lenient(plain: PacketClass) -> PacketClass:
    """Return a class that reads everything that this one writes, as far as its limits are known.

    msgpack writes maps with any keys, but reads only maps with text keys. engineio's ``json`` reads whole
    numbers of up to 100 digits.
    """
    # The module's name is compared, because msgpack may be missing, and then the class cannot be imported.
    if plain.decode.__module__ == "socketio.msgpack_packet":
        from socketio_cluster.manager.clients.lenient_msgpack import AnyKeys

        return type(plain.__name__, (AnyKeys, plain), {})
    if plain.json is engineio.json:
        return type(plain.__name__, (plain,), {"json": standard_json})
    return plain


@cache
def has_ack_place(packet_class: PacketClass) -> bool:
    """Whether this class writes Socket.IO's JSON format, so that an ack id has a place of its own in it."""
    return _plain(packet_class).encode is sio.Packet.encode


def _ack_at(packet: bytes, namespace: str | None) -> int:
    """Return where the ack id belongs: behind the type, the number of attachments and the namespace."""
    if namespace and namespace != "/":
        mark = namespace.encode() + b","
        at = packet.find(mark)
        return at + len(mark) if at >= 0 else -1
    return packet.find(b"[")
