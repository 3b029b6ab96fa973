"""What the nodes have said to a question, and who has not said all yet. Pure book-keeping."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import NamedTuple


class Piece(NamedTuple):
    """A piece of the answer of a node."""

    node: str
    items: Sequence[bytes]


class Poll:
    """One question.

    Args:
        nodes: who was asked.
        changed: called when a node has said something, or is gone.
    """

    def __init__(self, nodes: Iterable[str], changed: Callable[[], None]) -> None:
        self._pieces: deque[Piece] = deque()
        self._changed = changed
        self.missing = set(nodes)
        """Who has not said all yet."""
        self.failures: dict[str, str] = {}

    def take(self) -> Piece | None:
        """Give the next piece that has come, if there is one; its node may not have said all yet."""
        return self._pieces.popleft() if self._pieces else None

    def said(self, node: str, items: Sequence[bytes], error: str, *, last: bool) -> None:
        """Take a piece; of a node that is not waited for it is ignored."""
        if node not in self.missing:
            return
        if items:
            self._pieces.append(Piece(node, items))
        if error:
            self.failures[node] = error
        if last or error:
            self.missing.discard(node)
        self._changed()

    def gone(self, node: str) -> None:
        """Wait no more for a node that is gone with its clients; what it had begun to say does not count."""
        if node in self.missing:
            self._pieces = deque(piece for piece in self._pieces if piece.node != node)
            self.missing.discard(node)
            self._changed()


class Polls:
    """Questions by number, until they are closed."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._polls: dict[int, Poll] = {}

    def __len__(self) -> int:
        return len(self._polls)

    def open(self, poll: Poll) -> int:
        """Keep a question; returns its number."""
        number = next(self._numbers)
        self._polls[number] = poll
        return number

    def said(self, number: int, node: str, items: Sequence[bytes], error: str, *, last: bool) -> None:
        """Take a piece of an answer; one that nobody waits for any more is ignored."""
        if number in self._polls:
            self._polls[number].said(node, items, error, last=last)

    def node_gone(self, node: str) -> None:
        """Wait for a node no more."""
        for poll in list(self._polls.values()):
            poll.gone(node)

    def close(self, number: int) -> None:
        """Forget a question."""
        self._polls.pop(number, None)
