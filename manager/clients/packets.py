"""Socket.IO packets, encoded once by whoever emits.

``encode`` makes an ``Encoded``: the packet and its attachments as bytes, ready for the wire and for the
envelope. An emit with a callback needs an ack id. In the JSON format the node of each client gives one, which
goes in at ``ack_at``. In other formats nobody knows the place, and to decode a packet may fail where it could
be encoded: so one id for all its clients, ``ack_id``, is in it from the start.
"""

from __future__ import annotations

from functools import cache
from secrets import randbits
from typing import Any, Final, NamedTuple

import engineio.json
from socketio import packet as sio

from socketio_cluster.manager.clients.compact_json import dumps
from socketio_cluster.manager.clients.event_name import check_name
from socketio_cluster.manager.clients.own_packets import reads_all
from socketio_cluster.manager.errors import SettingError
from socketio_cluster.manager.extras import need

PacketClass = type[sio.Packet]

MAX_ATTACHMENTS: Final = 10
"""What socket.io-parser 4.2.6 and later take in one packet, on either side."""
SHARED_IDS: Final = 2**30
"""The least ack id that all clients of an emit share: what counts up for one client does not get there."""


class Encoded(NamedTuple):
    """A packet: ``parts`` are its bytes and those of its attachments, ``text`` says what the first is.

    ``ack_at`` is where an ack id goes in, -1 for nowhere; ``ack_id`` is the one that is in it, 0 for none.
    """

    parts: list[bytes]
    text: bool
    ack_at: int = -1
    ack_id: int = 0

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(map(len, self.parts))


def shared_ack_id() -> int:
    """Make an id for all clients of one emit, of 31 bits, as some clients keep ids in a 32-bit number.

    A node that finds it taken for one of its clients gives that client another.
    """
    return SHARED_IDS + randbits(30)


def _plain(packet_class: PacketClass) -> PacketClass:
    """The class without the checks, which are for what clients send and get."""
    return getattr(packet_class, "plain", packet_class)


@cache
def is_standard(packet_class: PacketClass) -> bool:
    """Whether packets of this class are Socket.IO's JSON format, by the standard ``json``."""
    plain = _plain(packet_class)
    same = plain.encode is sio.Packet.encode and plain.decode is sio.Packet.decode
    return same and plain.json is engineio.json


def packet_format(serializer: str | PacketClass, json: Any = None) -> PacketClass:
    """Give the packet class for python-socketio's ``serializer`` and ``json``; raises ``SettingError``."""
    if serializer == "msgpack":
        need("msgpack", what="serializer='msgpack'")
        from socketio.msgpack_packet import MsgPackPacket

        return MsgPackPacket  # type: ignore[no-any-return]
    chosen = sio.Packet if serializer == "default" else serializer
    if isinstance(chosen, str):
        raise SettingError(f"serializer must be 'default', 'msgpack' or a packet class, not {chosen!r}")
    return chosen if json is None else type(chosen.__name__, (chosen,), {"json": json})


def encode_event(
    packet_class: PacketClass, event: str, data: Any, namespace: str, ack_id: int = 0
) -> Encoded:
    """Encode an EVENT; a tuple is several arguments, None none. ``ack_id`` is for formats that need one now.

    Raises what the serializer raises for data it cannot take (``TypeError`` for JSON), and ``ValueError`` or
    ``TypeError`` for what clients would refuse: a reserved name, one that is neither text nor number, or more
    than ``MAX_ATTACHMENTS`` binary values.
    """
    check_name(event)
    arguments = [] if data is None else list(data) if isinstance(data, tuple) else [data]
    if is_standard(packet_class):  # type: ignore[arg-type]
        try:
            body = dumps([event, *arguments])
        except (TypeError, ValueError, RecursionError):
            pass  # bytes or NaN somewhere in it, or an error that the general way describes
        else:
            head = b"2" if namespace == "/" else b"2%s," % namespace.encode()
            return Encoded([head + body.encode()], True, len(head))
    if _has_a_place(packet_class):
        ack_id = 0
    packet = packet_class(sio.EVENT, namespace=namespace, data=[event, *arguments], id=ack_id or None)
    return encode(packet)._replace(ack_id=ack_id)


def encode_ack(packet_class: PacketClass, arguments: list[Any]) -> Encoded:
    """Encode the arguments of a client's ACK, for another node."""
    return encode(_plain(packet_class)(sio.ACK, namespace="/", data=arguments))


def decode(packet_class: PacketClass, parts: list[bytes], text: bool) -> sio.Packet:
    """Give the packet back; raises what the serializer raises for bytes it cannot read."""
    readable: PacketClass = reads_all(_plain(packet_class))  # type: ignore[arg-type]
    packet = readable(encoded_packet=parts[0].decode() if text else parts[0])
    for attachment in parts[1:]:
        packet.add_attachment(attachment)
    return packet


def with_ack_id(packet_class: PacketClass, encoded: Encoded, ack_id: int) -> Encoded:
    """Give the same packet with an ack id, which is rarely another one than it has."""
    if encoded.ack_id == ack_id:
        return encoded
    if encoded.ack_at >= 0:
        head, at = encoded.parts[0], encoded.ack_at
        return encoded._replace(parts=[b"%s%d%s" % (head[:at], ack_id, head[at:]), *encoded.parts[1:]])
    packet = decode(packet_class, encoded.parts, encoded.text)
    packet.id = ack_id
    return encode(packet)._replace(ack_id=ack_id)


def encode(packet: sio.Packet) -> Encoded:
    """Encode any packet."""
    encoded = packet.encode()
    parts = encoded if isinstance(encoded, list) else [encoded]
    text = isinstance(parts[0], str)
    raw = [part.encode() if isinstance(part, str) else bytes(part) for part in parts]
    place = _has_a_place(type(packet)) and packet.id is None
    return Encoded(raw, text, _ack_at(raw[0], packet.namespace) if place else -1)


def _has_a_place(packet_class: PacketClass) -> bool:
    return _plain(packet_class).encode is sio.Packet.encode


def _ack_at(packet: bytes, namespace: str | None) -> int:
    """Where an event's id stands: after the type, the number of attachments and the namespace."""
    if namespace and namespace != "/":
        mark = namespace.encode() + b","
        at = packet.find(mark)
        return at + len(mark) if at >= 0 else -1
    return packet.find(b"[")
