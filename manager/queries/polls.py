"""The answers of the nodes to a question, and which nodes have not sent everything yet. Pure book-keeping."""

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
    """A question, with the nodes that still have to answer it.

    Args:
        nodes: the nodes that were asked.
        changed: called when a node has said something, or is gone.
    """

    def __init__(self, nodes: Iterable[str], changed: Callable[[], None]) -> None:
        self._pieces: deque[Piece] = deque()
        self._changed = changed
        self.missing = set(nodes)
        """The nodes that have not sent everything yet."""
        self.failures: dict[str, str] = {}

    def take(self) -> Piece | None:
        """Return the next piece that has come, or None. Its node may send more."""
        return self._pieces.popleft() if self._pieces else None

    def said(self, node: str, items: Sequence[bytes], error: str, *, last: bool) -> None:
        """Note a piece. One of a node that is not waited for is ignored."""
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
        """Wait no more for a node that is gone with its clients. Its incomplete answer does not count."""
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
        """Keep a question. Returns its number."""
        number = next(self._numbers)
        self._polls[number] = poll
        return number

    def said(self, number: int, node: str, items: Sequence[bytes], error: str, *, last: bool) -> None:
        """Note a piece of an answer. One that nobody waits for any more is ignored."""
        if number in self._polls:
            self._polls[number].said(node, items, error, last=last)

    def node_gone(self, node: str) -> None:
        """Wait no more for a node that is gone."""
        for poll in list(self._polls.values()):
            poll.gone(node)

    def close(self, number: int) -> None:
        """Forget a question."""
        self._polls.pop(number, None)
