"""Reads ``said`` events without decoding JSON, and each distinct chunk of bytes only once."""

from __future__ import annotations

from typing import NamedTuple

from socketio_cluster.loadtest.swarm.frames import TEXT, FrameError, split

CHUNKS = 4096
"""How many chunks are remembered; then all are forgotten."""
LONGEST = 8192
"""A longer chunk is not remembered: 4096 of these are 32 MiB at most."""


KEYS = (b'"src":', b'"seq":', b'"t":', b'"node":')


class Said(NamedTuple):
    """One delivery: the stream, the number in it, when it was sent (seconds), and the sender's node.

    ``offset`` is the text behind the arguments, where the server knows recovery.
    """

    src: str
    seq: int
    t: float
    node: str
    offset: str | None = None


class Reader:
    """Finds the deliveries in what a connection received.

    A message to a room is the same bytes for all its members, so most chunks have been read before:
    then a delivery costs one look into a dictionary.

    Args:
        namespace: whose ``said`` events these are.
    """

    def __init__(self, namespace: str = "/") -> None:
        name = b"" if namespace == "/" else namespace.encode() + b","
        self._prefix = b"42" + name + b'["said",'
        self.known: dict[bytes, tuple[Said, ...]] = {}
        """Chunks that hold nothing but deliveries."""

    def learn(self, chunk: bytes) -> tuple[Said, ...] | None:
        """Read a chunk; gives None when it holds anything but whole ``said`` events."""
        if len(chunk) > LONGEST:
            return None
        try:
            frames, rest = split(chunk)
        except FrameError:
            return None
        if rest:
            return None
        found = []
        for last, opcode, payload in frames:
            said = self.read(payload) if last and opcode == TEXT else None
            if said is None:
                return None
            found.append(said)
        if len(self.known) >= CHUNKS:
            self.known.clear()
        self.known[chunk] = tuple(found)
        return self.known[chunk]

    def read(self, payload: bytes) -> Said | None:
        """Give the delivery in a packet, None when the packet is another."""
        if not payload.startswith(self._prefix):
            return None
        try:
            src, seq, t, node = (_word(payload, key) for key in KEYS)
            return Said(src.decode(), int(seq), float(t), node.decode(), _offset(payload))
        except ValueError:
            return None


def _offset(payload: bytes) -> str | None:
    """The last argument, if it is a text."""
    return payload[payload.rindex(b'"', 0, -2) + 1 : -2].decode() if payload.endswith(b'"]') else None


def _word(payload: bytes, key: bytes) -> bytes:
    """What stands behind a key: a number, or a string without escapes and without its quotes."""
    start = payload.index(key) + len(key)
    if payload[start] == 0x20:  # some servers write a space after the colon
        start += 1
    if payload[start] == 0x22:
        return payload[start + 1 : payload.index(b'"', start + 1)]
    comma, brace = payload.find(b",", start), payload.index(b"}", start)
    return payload[start : brace if comma < 0 else min(comma, brace)]
