"""WebSocket frames as a client writes and reads them, whole chunks at a time."""

from __future__ import annotations

import os

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
CONTINUATION = 0x0


class FrameError(Exception):
    """The server sent what no client can read; the text says what."""


def encode(payload: bytes, opcode: int = TEXT) -> bytes:
    """Give one whole frame, masked as a client must."""
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | opcode, 0x80 | size))
    elif size < 65536:
        head = bytes((0x80 | opcode, 0xFE)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 0xFF)) + size.to_bytes(8, "big")
    mask = os.urandom(4)
    key = (mask * (size // 4 + 1))[:size]
    masked = int.from_bytes(payload, "little") ^ int.from_bytes(key, "little")
    return head + mask + masked.to_bytes(size, "little")


def split(data: bytes) -> tuple[list[tuple[bool, int, bytes]], bytes]:
    """Give the whole frames in ``data`` as (last of its message, opcode, payload), and the bytes left over.

    Raises:
        FrameError: a masked or extended frame, which no server may send to us.
    """
    frames = []
    at, end = 0, len(data)
    while end - at >= 2:
        first, size = data[at], data[at + 1]
        if first & 0x70 or size & 0x80:
            raise FrameError(f"a frame begins with {data[at : at + 2].hex()}: masked, or of an extension")
        start = at + 2
        if size >= 126:
            length = 2 if size == 126 else 8
            if end - start < length:
                break
            size = int.from_bytes(data[start : start + length], "big")
            start += length
        if end - start < size:
            break
        at = start + size
        frames.append((first >= 0x80, first & 0x0F, data[start:at]))
    return frames, data[at:]
