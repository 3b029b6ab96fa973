"""msgpack packets of nodes, read back. Only who has the extra ``[msgpack]`` can import this module."""

from __future__ import annotations

from typing import Any

import msgpack  # type: ignore[import-untyped]
from socketio.msgpack_packet import MsgPackPacket


class AnyKeys(MsgPackPacket):  # type: ignore[misc]
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
