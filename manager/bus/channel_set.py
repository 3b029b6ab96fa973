"""A set of channels in few bytes, by which a node says what it needs or what it has published to.

A *mark* is the CRC-32 of a channel's name. Few channels travel as their marks, four bytes each; many as a
Bloom filter (Bloom 1970), which never misses a channel of the set and takes some others for one. Whoever
gets a message too many drops it: nobody of its room is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from struct import iter_unpack, pack
from typing import Final
from zlib import crc32

EXACT: Final = 2048
"""Channels up to which their marks travel: 8 KiB."""
LARGEST: Final = 18
"""A filter has 2 to the power of 18 bits at most, 32 KiB: one channel in a hundred is taken wrongly with
30,000 in the set, one in fifteen with 50,000."""
BITS_PER_CHANNEL: Final = 8
FACTORS: Final = (0x9E3779B1, 0x85EBCA6B, 0xC2B2AE35)
"""Odd numbers that spread a mark over the bits, three times."""

Holds = Callable[[Iterable[str]], bool]
"""Whether any of these channels is in a set."""


@lru_cache(maxsize=65536)
def mark(channel: str) -> int:
    """Give the mark of a channel."""
    return crc32(channel.encode())


def pack_marks(marks: Iterable[int]) -> bytes:
    """Give marks as bytes, four each."""
    marks = list(marks)
    return pack(f">{len(marks)}I", *marks)


class ChannelSet:
    """The channels that a node needs, and ``raw``, as ``reader`` takes them."""

    def __init__(self, channels: Iterable[str]) -> None:
        self._marks = {crc32(channel.encode()) for channel in channels}
        if len(self._marks) <= EXACT:
            self.raw = b"\x00" + pack_marks(self._marks)
        else:
            self.raw = b"\x01" + _filter(self._marks)

    def meets(self, marks: bytes) -> bool:
        """Whether any of these packed marks is in the set; raises ``ValueError`` for other bytes."""
        return not self._marks.isdisjoint(_unpack(marks))


def reader(raw: bytes) -> Holds:
    """Read the bytes of a set; raises ``ValueError`` for bytes that are none."""
    kind, body = raw[:1], raw[1:]
    if kind == b"\x00":
        marks = frozenset(_unpack(body))
        return lambda channels: not marks.isdisjoint(map(mark, channels))
    power = (8 * len(body)).bit_length() - 1
    if kind != b"\x01" or not 3 <= power <= LARGEST or 8 * len(body) != 2**power:
        raise ValueError("these bytes are no set of channels")
    return lambda channels: any(
        all(body[bit >> 3] >> (bit & 7) & 1 for bit in _bits(mark(channel), power)) for channel in channels
    )


def _unpack(marks: bytes) -> list[int]:
    if len(marks) % 4:
        raise ValueError("marks have four bytes each")
    return [one for (one,) in iter_unpack(">I", marks)]


def _filter(marks: set[int]) -> bytes:
    power = min(LARGEST, (BITS_PER_CHANNEL * len(marks) - 1).bit_length())
    body = bytearray(2**power // 8)
    for one in marks:
        for bit in _bits(one, power):
            body[bit >> 3] |= 1 << (bit & 7)
    return bytes(body)


def _bits(one: int, power: int) -> list[int]:
    return [(one * factor & 0xFFFFFFFF) >> (32 - power) for factor in FACTORS]
