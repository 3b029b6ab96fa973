"""WebSocket frames (RFC 6455): a server's frames are built once for all clients, a client's are read.

This file does no I/O: ``frame`` returns bytes, ``lone_text`` and ``FrameReader`` take bytes and give
messages. It is written by hand because a node does little else: to read one small text frame takes a fifth of
the time that the general parser of the websockets library takes. Unmasking is that library's, in C.
Extensions are never negotiated here, so any reserved bit is an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import Final

from websockets.frames import apply_mask  # type: ignore[attr-defined]

CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

Message = tuple[int, bytes]
"""An opcode (TEXT, BINARY, CLOSE, PING, PONG) and its whole payload; CONTINUATION when only a part has come
yet."""

_DATA: Final = (CONTINUATION, TEXT, BINARY)
_CONTROL: Final = (CLOSE, PING, PONG)
_MEDIUM: Final = Struct(">BBH")
_MASKED: Final = Struct(">HH4s").unpack_from
"""Reads a client's header of 8 bytes: the first two, the length and the mask."""


class FrameError(Exception):
    """The peer broke the protocol; ``code`` is the close code for that (section 7.4.1)."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def frame(opcode: int, payload: bytes) -> bytes:
    """Return the bytes of a server's frame.

    It is final and not masked, so it is the same for every client.
    """
    size = len(payload)
    heads = _HEADS[opcode]
    return (heads[size] if size < len(heads) else _head(opcode, size)) + payload


def _head(opcode: int, size: int) -> bytes:
    if size < 126:
        return bytes((0x80 | opcode, size))
    if size < 65536:
        return _MEDIUM.pack(0x80 | opcode, 126, size)
    return bytes((0x80 | opcode, 127)) + size.to_bytes(8, "big")


_HEADS: Final = {
    opcode: tuple(_head(opcode, size) for size in range(1024 if opcode == TEXT else 126))
    for opcode in (TEXT, BINARY, CLOSE, PING, PONG)
}
"""The bytes before the payload of frames that are not large, by opcode and size."""


def message_frame(packet: bytes) -> bytes:
    """Return the frame of an Engine.IO message, given the Socket.IO packet in it as text."""
    size = len(packet)
    return (_MESSAGES[size] if size < len(_MESSAGES) else _message_head(size)) + packet


def _message_head(size: int) -> bytes:
    return _head(TEXT, size + 1) + b"4"


_MESSAGES: Final = tuple(map(_message_head, range(1023)))
"""The bytes before packets that are not large, by size: one copy less for each event."""


def close_frame(code: int, reason: str = "") -> bytes:
    """Return a close frame. A control frame holds 125 bytes, so the reason is cut to 123."""
    return frame(CLOSE, code.to_bytes(2, "big") + reason.encode()[:123])


def close_code(payload: bytes) -> int:
    """Return the code in a client's close frame, 1005 when it has none.

    Raise ``FrameError`` for a bad one.
    """
    if not payload:
        return 1005
    if len(payload) == 1:
        raise FrameError(1002, "close frame too short")
    code = int.from_bytes(payload[:2], "big")
    if not ((1000 <= code < 1015 and code not in (1004, 1005, 1006)) or 3000 <= code < 5000):
        raise FrameError(1002, f"invalid close code {code}")
    try:
        payload[2:].decode()
    except UnicodeDecodeError:
        raise FrameError(1007, "invalid close reason") from None
    return code


def longest_frame(limit: int) -> int:
    """Return the bytes of a client's frame with a payload of ``limit`` bytes, with its header."""
    return limit + (6 if limit < 126 else 8)


def lone_text(data: bytes, longest: int) -> bytes | None:
    """Return the payload if these bytes are one whole text frame of 1 byte to 64 KiB; else None.

    Then feed them to a ``FrameReader``. So must all bytes that come while one has something half read.
    ``longest`` is the size of a frame, at most.
    """
    size = len(data)
    if size > longest:
        return None
    if size < 132:  # the header has 6 bytes up to a payload of 125, and then 8
        if size > 6 and data[0] == 0x81 and data[1] == 0x80 + (size - 6):
            return apply_mask(data[6:], data[2:6])
    else:
        head, length, mask = _MASKED(data)
        if head == 0x81FE and length == size - 8:
            return apply_mask(data[8:], mask)
    return None


class FrameReader:
    """Cuts a client's bytes into messages and joins fragments; a message may have ``limit`` bytes.

    The size of a frame is checked when its header is there, before its payload is kept. So the buffer never
    has more bytes than the limit and a header, however small the pieces are in which they come.
    """

    __slots__ = ("_buffer", "_fragments", "_limit", "_needed", "_opcode")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer: bytearray | None = None
        self._needed = 0
        self._fragments: bytearray | None = None
        self._opcode = CONTINUATION

    @property
    def idle(self) -> bool:
        """Whether nothing is half read: a new reader would read on as well."""
        return self._buffer is None and self._fragments is None

    def feed(self, data: bytes) -> Iterator[Message]:
        """Take bytes.

        Yield the messages that they complete, then raise ``FrameError`` if something is wrong.
        """
        if self._buffer is not None:
            # A large frame comes in many pieces. They are read when they are enough: otherwise a client that
            # sends them byte by byte would have all of them copied each time.
            self._buffer += data
            if len(self._buffer) < self._needed:
                return
            data, self._buffer = bytes(self._buffer), None
        at, end = 0, len(data)
        while (stop := at + 2) <= end:
            first, second = data[at], data[at + 1]
            size, start = second & 0x7F, at + 6
            if size >= 126:
                width = 2 if size == 126 else 8
                start += width
                stop += width
                if end < stop:
                    break
                size = int.from_bytes(data[at + 2 : stop], "big")
            self._check(first, second, size)
            stop = start + size
            if end < stop:
                break
            payload = apply_mask(data[start:stop], data[start - 4 : start]) if size else b""
            at = stop
            if first in (0x81, 0x82) and self._fragments is None:
                yield first & 0x0F, payload
            else:
                yield self._fragment(first, payload)
        if at < end:
            self._buffer, self._needed = bytearray(data[at:]), stop - at

    def _check(self, first: int, second: int, size: int) -> None:
        opcode = first & 0x0F
        if not second & 0x80:
            raise FrameError(1002, "frame of a client without a mask")
        if first & 0x70:
            raise FrameError(1002, "reserved bit set")
        if opcode in _CONTROL:
            if size > 125 or not first & 0x80:
                raise FrameError(1002, "control frame too long or fragmented")
        elif opcode in _DATA:
            if size + len(self._fragments or ()) > self._limit:
                raise FrameError(1009, f"message over {self._limit} bytes")
        else:
            raise FrameError(1002, f"unknown opcode {opcode}")

    def _fragment(self, first: int, payload: bytes) -> Message:
        """Take a control frame or a fragment; return the message that it completes, or CONTINUATION."""
        opcode = first & 0x0F
        if opcode in _CONTROL:
            return opcode, payload
        if (opcode == CONTINUATION) is (self._fragments is None):
            raise FrameError(1002, "continuation without a start, or a start within a message")
        if self._fragments is None:
            self._fragments, self._opcode = bytearray(), opcode
        self._fragments += payload
        if not first & 0x80:
            return CONTINUATION, b""  # the caller counts it, because it takes time too
        whole, self._fragments = bytes(self._fragments), None
        return self._opcode, whole
