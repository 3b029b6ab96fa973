"""Packets of nodes, read back: what a serializer has written, also what it would not take from a client."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import engineio.json
import msgpack  # type: ignore[import-untyped]
from socketio import packet as sio
from socketio.msgpack_packet import MsgPackPacket


@cache
def reads_all(plain: type[sio.Packet]) -> type[sio.Packet]:
    """Give a class that reads all that this one writes, where a limit of it is known.

    msgpack writes maps with any keys and reads those with texts; engineio's ``json`` reads whole numbers of
    up to 100 digits.
    """
    if plain.decode is MsgPackPacket.decode:
        return type(plain.__name__, (_AnyKeys, plain), {})
    if plain.json is engineio.json:
        return type(plain.__name__, (plain,), {"json": json})
    return plain


class _AnyKeys(MsgPackPacket):  # type: ignore[misc]
    """Goes in front of a msgpack format."""

    def decode(self, encoded_packet: bytes) -> None:
        """Read a packet, as the base class but for ``strict_map_key``."""
        decoded: dict[str, Any] = msgpack.loads(
            encoded_packet, ext_hook=type(self).ext_hook, strict_map_key=False
        )
        self.packet_type = decoded["type"]
        self.data = decoded.get("data")
        self.id = decoded.get("id")
        self.namespace = decoded["nsp"]
