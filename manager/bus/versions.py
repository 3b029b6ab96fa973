"""``Versions``: the newest version of the envelope that all nodes read. Times are in seconds.

Each hello and beat says which versions its sender reads. A release before 0.2 says nothing, and reads
version 1.
"""

from __future__ import annotations

from typing import Final

OLDEST: Final = 1
NEWEST: Final = 1
"""The versions that this release reads: from ``OLDEST`` to ``NEWEST``.

A version counts what no older release could read: another header, or another way to pack a message. What
older releases may ignore, such as a further field or a further kind of message, is no new version.
"""


class Versions:
    """What the nodes read.

    Args:
        keep: so long a node counts after it was last heard. It may ask for what was published meanwhile.
        newest: the newest version that this node reads.
    """

    def __init__(self, keep: float, newest: int) -> None:
        self._keep = keep
        self._newest = newest
        self._heard: dict[str, tuple[int, float]] = {}
        self._since: float | None = None

    def heard(self, node: str, reads: int, now: float) -> None:
        """Note which version a node reads at most."""
        self._heard[node] = reads, now

    def agreed(self, now: float) -> int:
        """Return the newest version that every node reads.

        That is ``OLDEST`` for the first ``keep`` seconds, because there may be others that are away.
        """
        if self._since is None:
            self._since = now
        stale = [node for node, (_, at) in self._heard.items() if now - at > self._keep]
        for node in stale:
            del self._heard[node]
        if now - self._since < self._keep:
            return OLDEST
        return max(OLDEST, min([self._newest, *(reads for reads, _ in self._heard.values())]))
