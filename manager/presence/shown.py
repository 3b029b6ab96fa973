"""``Shown``: what the clients of this node know of a room, and what they have to be told. Pure book-keeping.

The same meta of a key keeps its reference as long as it is shown. So a client that reconnects, perhaps to
another node, and is present with the same meta again, changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import count

Metas = dict[str, bytes]
"""The metas of one key, packed, by their references."""


class Shown:
    """The metas of each key, as the clients know them."""

    def __init__(self) -> None:
        self.keys: dict[str, Metas] = {}
        self._numbers = count(1)

    def turn(
        self, keys: Iterable[str], metas: Callable[[str], list[bytes]]
    ) -> tuple[dict[str, Metas], dict[str, Metas]]:
        """Take the present metas of these keys. Returns what has come and what has gone, by key."""
        joins: dict[str, Metas] = {}
        leaves: dict[str, Metas] = {}
        for key in keys:
            came, gone, now = self._compare(self.keys.get(key, {}), metas(key))
            if came:
                joins[key] = came
            if gone:
                leaves[key] = gone
            if now:
                self.keys[key] = now
            else:
                self.keys.pop(key, None)
        return joins, leaves

    def _compare(self, before: Metas, metas: list[bytes]) -> tuple[Metas, Metas, Metas]:
        # These are nearly all cases, and a tenth of the time of what follows.
        if metas == list(before.values()):
            return {}, {}, before
        if not before or not metas:
            came = {str(next(self._numbers)): meta for meta in metas}
            return came, before, came
        left = Counter(metas)
        kept: Metas = {}
        for ref, meta in before.items():
            if left[meta]:
                left[meta] -= 1
                kept[ref] = meta
        came = {str(next(self._numbers)): meta for meta in left.elements()}
        gone = {ref: meta for ref, meta in before.items() if ref not in kept}
        return came, gone, {**kept, **came}
