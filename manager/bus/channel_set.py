"""A set of channels in few bytes. With it a node says which channels it needs or has published to.

A *mark* is the CRC-32 of a channel's name. A few channels are sent as their marks, four bytes each. Many
channels are sent as a Bloom filter (Bloom 1970), which never misses a channel of the set, but sometimes
reports a channel that is not in it. A node that therefore gets a message too many drops it, as it has no
client in that room.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from struct import iter_unpack, pack
from typing import Final
from zlib import crc32

EXACT: Final = 2048
"""Up to so many channels are sent as marks: 8 KiB."""
LARGEST: Final = 18
"""A filter has at most 2 to the power of 18 bits, 32 KiB.

With 30,000 channels in the set, one other channel in a
hundred is reported wrongly; with 50,000 channels, one in fifteen."""
BITS_PER_CHANNEL: Final = 8
FACTORS: Final = (0x9E3779B1, 0x85EBCA6B, 0xC2B2AE35)
"""Odd numbers, each of which maps a mark to one bit of the filter."""

Holds = Callable[[Iterable[str]], bool]
"""A function that tells whether any of these channels is in a set."""


@lru_cache(maxsize=65536)
def mark(channel: str) -> int:
    """Return the mark of a channel."""
    return crc32(channel.encode())


def pack_marks(marks: Iterable[int]) -> bytes:
    """Return marks as bytes, four for each mark."""
    marks = list(marks)
    return pack(f">{len(marks)}I", *marks)


class ChannelSet:
    """The set of channels that a node needs. ``raw`` is its form in bytes, which ``reader`` reads."""

    def __init__(self, channels: Iterable[str]) -> None:
        self._marks = {crc32(channel.encode()) for channel in channels}
        if len(self._marks) <= EXACT:
            self.raw = b"\x00" + pack_marks(self._marks)
        else:
            self.raw = b"\x01" + _filter(self._marks)

    def meets(self, marks: bytes) -> bool:
        """Whether any of these packed marks is in the set.

        Raises ``ValueError`` for bytes that are no marks.
        """
        return not self._marks.isdisjoint(_unpack(marks))


def reader(raw: bytes) -> Holds:
    """Read the bytes of a set. Raises ``ValueError`` for bytes that are no set."""
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
