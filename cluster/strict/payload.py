"""What a client's message may be at most, and how the connection of one that sends more is closed."""

from __future__ import annotations

from typing import Final

TOO_BIG: Final = 1009
"""The close code for a message over the limit."""
PAYLOAD_TOO_LARGE: Final = "payload too large"
"""The reason that disconnect handlers get for it."""

POLICY: Final = 1008
"""The close code for a client that sends too many events."""
RATE_LIMIT: Final = "rate limit"
"""The reason that disconnect handlers get for it."""


def size(data: str | bytes) -> int:
    """Bytes of a message; of text as UTF-8."""
    return len(data) if isinstance(data, bytes) or data.isascii() else len(data.encode("utf-8", "replace"))
