"""What a node counts about the requests it passes on."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

logger = logging.getLogger("socketio_cluster.cluster")


class Kind(StrEnum):
    """What kind of request."""

    POLL = "poll"
    POST = "post"
    WEBSOCKET = "websocket"


class Outcome(StrEnum):
    """What became of it."""

    OK = "ok"
    """Answered by its node, or for a WebSocket: handed over to it."""
    LEFT = "left"
    """The client went away before the answer."""
    UNKNOWN = "unknown"
    """No live node has such a session."""
    UNREACHABLE = "unreachable"
    """The node lives, as far as is known, but cannot be reached or did not react in time."""
    REFUSED = "refused"
    """The node would not take it."""


@dataclass
class ForwardStats:
    """Requests for sessions of other nodes since the start, by kind and outcome."""

    requests: Counter[tuple[Kind, Outcome]] = field(default_factory=Counter)
    taken: int = 0
    """Requests that other nodes have passed on to this one."""

    def count(self, kind: Kind, outcome: Outcome, node: str) -> None:
        """Count one."""
        self.requests[kind, outcome] += 1
        logger.debug("%s for node %s: %s", kind, node, outcome)
