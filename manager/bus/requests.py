"""The requests to other nodes that wait for replies."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import Final

GONE: Final = "the node that serves this client is gone"
HERE: Final = "the client has come to the node that asks"
ENDED: Final = "the session of this client has ended, and the bus does not know that yet"

Done = Callable[[dict[str, str]], None]
"""Called once, with the error text of each node. An empty text means that the node has carried it out."""


@dataclass(slots=True)
class _Request:
    waiting: set[str]
    done: Done
    replies: dict[str, str] = field(default_factory=dict)


class Requests:
    """The requests by number. Each ends when all its nodes have replied or are gone."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._requests: dict[int, _Request] = {}

    def open(self, nodes: Iterable[str], done: Done) -> int:
        """Start to wait for these nodes, and return the number of the request."""
        number = next(self._numbers)
        self._requests[number] = _Request(set(nodes), done)
        return number

    def reply(self, number: int, node: str, error: str) -> None:
        """Note the reply of a node. A reply that nobody waits for is ignored."""
        request = self._requests.get(number)
        if request is None or node not in request.waiting:
            return
        request.waiting.discard(node)
        request.replies[node] = error
        if not request.waiting:
            del self._requests[number]
            request.done(request.replies)

    def node_gone(self, node: str) -> None:
        """Note that a node will not reply to any request."""
        for number in list(self._requests):
            self.reply(number, node, GONE)

    def close(self, number: int) -> None:
        """Stop waiting for the replies to a request."""
        self._requests.pop(number, None)
