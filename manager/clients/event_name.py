"""Names of events: what the official clients take."""

from __future__ import annotations

from math import isfinite
from typing import Any, Final

RESERVED: Final = frozenset(
    ("connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener")
)
"""What socket.io-parser refuses as the name of an event, and what the Node.js server refuses to emit."""


def is_name(name: Any) -> bool:
    """Whether this may name an event: a text that is not reserved, or a number."""
    if isinstance(name, str):
        return name not in RESERVED
    return isinstance(name, int | float) and not isinstance(name, bool) and isfinite(name)


def check_name(name: Any) -> None:
    """Raise ``ValueError`` for a name that is reserved, ``TypeError`` for one of another type.

    A JavaScript client that got such an event would disconnect with "parse error".
    """
    if is_name(name):
        return
    if isinstance(name, str):
        raise ValueError(f"{name!r} is the name of Socket.IO's own event: give yours another name")
    raise TypeError(f"the name of an event is a text or a finite number, not {name!r:.80}")
