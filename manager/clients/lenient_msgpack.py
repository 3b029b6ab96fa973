"""A msgpack packet class that reads maps with any keys.

The import fails where the extra ``[msgpack]`` is not installed.
"""

from __future__ import annotations

from typing import Any

import msgpack  # type: ignore[import-untyped]
from socketio.msgpack_packet import MsgPackPacket


class AnyKeys(MsgPackPacket):  # type: ignore[misc]
    """A base class to put before a msgpack packet class."""

    def decode(self, encoded_packet: bytes) -> None:
        """Read a packet. Unlike the base class, it sets ``strict_map_key`` to False."""
        decoded: dict[str, Any] = msgpack.loads(
            encoded_packet, ext_hook=type(self).ext_hook, strict_map_key=False
        )
        self.packet_type = decoded["type"]
        self.data = decoded.get("data")
        self.id = decoded.get("id")
        self.namespace = decoded["nsp"]
