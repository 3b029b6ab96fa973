"""The stamp: the number of a recorded event, which the bus puts in front of its envelope.

    "N" | epoch 6 characters | number 16 decimal digits | envelope

Numbers grow in the order in which the bus publishes, for all nodes alike. They are microseconds since 1970,
or one more than the last number if the clock has not moved on. The *epoch* is a random text that the bus
makes anew when its memory of the events is lost. It is text, because a script in Redis writes it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

MARK: Final = ord("N")
"""The first byte. An envelope without a stamp begins with its version, a small number."""
EPOCH_CHARS: Final = 6
_DIGITS: Final = 16
STAMP_BYTES: Final = 1 + EPOCH_CHARS + _DIGITS
_EPOCH: Final = slice(1, 1 + EPOCH_CHARS)
_NUMBER: Final = slice(1 + EPOCH_CHARS, STAMP_BYTES)
_ENVELOPE: Final = slice(STAMP_BYTES, None)


class Stamp(NamedTuple):
    """Where an event stands in the one order of a cluster's events."""

    epoch: str
    number: int


def stamped(stamp: Stamp, envelope: bytes) -> bytes:
    """Put a stamp in front of an envelope."""
    return b"N%b%016d%b" % (stamp.epoch.encode(), stamp.number, envelope)


def unstamped(raw: bytes) -> bytes:
    """Return the envelope behind a stamp, or the bytes themselves if they have none."""
    return raw[_ENVELOPE] if raw[:1] == b"N" else raw


def read_stamp(raw: bytes) -> tuple[str, int, bytes]:
    """Return the epoch, the number, and the envelope behind them.

    Raises ``ValueError`` for bytes that have no stamp.
    """
    if len(raw) < STAMP_BYTES or raw[0] != MARK:
        raise ValueError(f"no stamp in {len(raw)} bytes")
    return raw[_EPOCH].decode("ascii"), int(raw[_NUMBER]), raw[_ENVELOPE]
