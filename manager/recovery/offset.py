"""The offset: the text behind an event's arguments, by which a client says later how far it has come.

    epoch 6 characters | number in hexadecimal

The official client keeps the last argument of each event if it is a text, and sends it when it comes back.
"""

from __future__ import annotations

import re

from socketio_cluster.manager.bus.stamp import EPOCH_CHARS, Stamp
from socketio_cluster.manager.bus.store import Claimed

_FORM = re.compile(rf"([\w-]{{{EPOCH_CHARS}}})([0-9a-f]{{1,14}})", re.ASCII)


def write_offset(epoch: str, number: int) -> str:
    """Return the offset of an event."""
    return f"{epoch}{number:x}"


def read_offset(text: object) -> Stamp | None:
    """Return what an offset of a client says, or None for anything else, such as the application's text."""
    found = _FORM.fullmatch(text) if isinstance(text, str) else None
    return Stamp(found[1], int(found[2], 16)) if found is not None else None


def why_not(claimed: Claimed, offset: Stamp | None) -> str | None:
    """Return why a session cannot go on from an offset, or None if it can.

    Whoever keeps the sessions has looked already, unless it is a local hub of release 0.1.
    """
    place = claimed.place
    if offset is not None and (offset.epoch != place.epoch or offset.number > place.last):
        return "epoch"
    position = max(claimed.position, offset.number if offset is not None else 0)
    return "late" if position < place.floor else None
