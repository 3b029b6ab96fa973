"""What the nodes have said to a question, and who has not said all yet. Pure book-keeping."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import count


class Poll:
    """One question.

    Args:
        nodes: who was asked.
        changed: called when a node has said something, or is gone.
    """

    def __init__(self, nodes: Iterable[str], changed: Callable[[], None]) -> None:
        self._items: dict[str, list[bytes]] = {node: [] for node in nodes}
        self._changed = changed
        self.missing = set(self._items)
        """Who has not said all yet."""
        self.silent = set(self._items)
        """Who has not said anything yet."""
        self.failures: dict[str, str] = {}

    def take(self) -> list[bytes]:
        """Give what was said since the last call, by those too who have not said all."""
        taken = [item for items in self._items.values() for item in items]
        for items in self._items.values():
            items.clear()
        return taken

    def said(self, node: str, items: Sequence[bytes], error: str, *, last: bool) -> None:
        """Take a piece; of a node that is not waited for it is ignored."""
        if node not in self.missing:
            return
        self._items[node] += items
        self.silent.discard(node)
        if error:
            self.failures[node] = error
        if last or error:
            self.missing.discard(node)
        self._changed()

    def gone(self, node: str) -> None:
        """Wait no more for a node that is gone with its clients; what it had begun to say does not count."""
        if node in self.missing:
            self._items[node].clear()
            self.missing.discard(node)
            self.silent.discard(node)
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
