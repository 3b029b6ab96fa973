"""Engine.IO packets of clients: which are taken, which pass without effect, which no client sends."""

from __future__ import annotations

from typing import Final

SEPARATOR: Final = "\x1e"
CLOSE: Final = "1"
TOO_BIG: Final = 1009
"""The close code for a message over the limit."""
TOO_LARGE: Final = "payload too large"
"""The reason that disconnect handlers get for it."""
_TAKEN: Final = frozenset("134b")
_WITHOUT_EFFECT: Final = frozenset("056")
"""OPEN, UPGRADE and NOOP: engine.io lets them pass."""

POLICY: Final = 1008
"""The close code for a client that sends too many events."""
RATE_LIMIT: Final = "rate limit"
"""The reason that disconnect handlers get for it."""


class Malformed(ValueError):
    """No packet, or a PING, which in this version of the protocol only servers send."""


def size(data: str | bytes) -> int:
    """Bytes of a message; of text as UTF-8."""
    return len(data) if isinstance(data, bytes) or data.isascii() else len(data.encode("utf-8", "replace"))


def counts(packet: str) -> bool:
    """Whether a packet is to be handled; raises ``Malformed``."""
    kind = packet[:1]
    if kind in _TAKEN:
        return True
    if kind not in _WITHOUT_EFFECT:
        raise Malformed(f"a packet of type {kind!r}")
    return False


def packets_of(body: bytes) -> list[str]:
    """Cut a POST into the packets to be handled, none behind a CLOSE; raises ``Malformed``."""
    try:
        text = body.decode()
    except UnicodeDecodeError as exc:
        raise Malformed("text that is not UTF-8") from exc
    packets = [packet for packet in text.split(SEPARATOR) if counts(packet)]
    end = next((at for at, packet in enumerate(packets, 1) if packet[0] == CLOSE), None)
    return packets[:end]
