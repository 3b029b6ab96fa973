"""What the nodes have said to a question, and who has not said all yet. Pure book-keeping."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import count


class Poll:
    """One question.

    Args:
        nodes: who was asked.
        done: called once, when nobody is waited for any more.
    """

    def __init__(self, nodes: Iterable[str], done: Callable[[], None]) -> None:
        self._items: dict[str, list[bytes]] = {node: [] for node in nodes}
        self.missing = set(self._items)
        self.failures: dict[str, str] = {}
        self._done = done

    @property
    def items(self) -> list[bytes]:
        """What was said so far, by those too who have not finished."""
        return [item for items in self._items.values() for item in items]

    def said(self, node: str, items: Sequence[bytes], error: str, *, last: bool) -> None:
        """Take a piece; of a node that is not waited for it is ignored."""
        if node not in self.missing:
            return
        self._items[node] += items
        if error:
            self.failures[node] = error
        if last or error:
            self._finished(node)

    def gone(self, node: str) -> None:
        """Wait no more for a node that is gone with its clients; what it had begun to say does not count."""
        if node in self.missing:
            self._items[node].clear()
            self._finished(node)

    def _finished(self, node: str) -> None:
        self.missing.discard(node)
        if not self.missing:
            self._done()


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
