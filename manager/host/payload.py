"""Engine.IO packets of clients: which are taken, which pass without effect, which no client sends."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qs

SEPARATOR: Final = "\x1e"
CLOSE: Final = "1"
MOST_PACKETS: Final = 10_000
"""Packets in one POST: what an official client has waiting fits, and making them takes less than a second."""
_TAKEN: Final = frozenset("134b")
_WITHOUT_EFFECT: Final = frozenset("056")
"""OPEN, UPGRADE and NOOP: engine.io lets them pass."""
_FORM: Final = "d="
"""How a body of JSONP begins; no packet does."""
_NEWLINES: Final = re.compile(r"(\\)?\\n")


class Malformed(ValueError):
    """No packet, or a PING, which in this version of the protocol only servers send; or far too many."""


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
    if text.startswith(_FORM):
        text = _of_form(text)
    if text.count(SEPARATOR) >= MOST_PACKETS:
        raise Malformed(f"more than {MOST_PACKETS} packets")
    packets = [packet for packet in text.split(SEPARATOR) if counts(packet)]
    end = next((at for at, packet in enumerate(packets, 1) if packet[0] == CLOSE), None)
    return packets[:end]


def _of_form(text: str) -> str:
    """What the form of JSONP holds. Its client doubles the backslash of each newline (engine.io, JSONP)."""
    try:
        (value,) = parse_qs(text, max_num_fields=1)["d"]
    except (ValueError, KeyError) as exc:
        raise Malformed("a form without its one field") from exc
    return _NEWLINES.sub(lambda found: found[0] if found[1] else "\n", value).replace("\\\\n", "\\n")
