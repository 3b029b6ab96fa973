"""What a worker counts of HTTP connections that it ends, whatever they wanted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

HEAD: Final = "head"
BODY: Final = "body"


@dataclass
class HttpStats:
    """Counters since the worker started."""

    timeouts: Counter[str] = field(default_factory=Counter)
    """Connections closed because a client took too long over the HEAD or the BODY of a request."""
    cut_off: int = 0
    """Connections closed because too many requests waited for their turn."""
