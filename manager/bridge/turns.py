"""``Turns``: which of several bridges between the same two clusters works now. The others stand by.

The oldest of those that can work does. Each bridge says so to the others on the foreign bus, so it needs no
other place to agree. Times are readings of a monotonic clock in seconds.
"""

from __future__ import annotations

from typing import Final

from socketio_cluster.manager.bridge.commands import Sign

SIGN_SECONDS: Final = 1.0
"""How often a bridge says that it is there."""
SILENT_AFTER: Final = 3.5
"""After so long without a sign of it a bridge counts as gone: three signs were lost."""
LISTEN_SECONDS: Final = 2.5
"""How long a bridge that has come listens before it works: another one has said twice that it is there."""


class Turns:
    """Whose turn it is.

    Args:
        node: the id of this bridge's node.
        since: when it started, in epoch seconds.
    """

    def __init__(self, node: str, since: float) -> None:
        self._node = node
        self._since = since
        self._signs: dict[str, tuple[Sign, float]] = {}
        self._works_from = float("inf")
        self._joined = False

    def joined(self, now: float) -> None:
        """Note that this bridge hears the others from now on.

        One that comes back does not listen first: if it is not its turn any more, it hears that at once.
        """
        self._works_from = now if self._joined else now + LISTEN_SECONDS
        self._joined = True

    def parted(self, now: float) -> None:
        """Note that this bridge hears nobody. If there is another one, that works meanwhile."""
        if self._there(now):
            self._works_from = float("inf")

    def heard(self, sign: Sign, now: float) -> None:
        """Note what another bridge of our cluster says."""
        self._signs[sign.node] = sign, now

    def is_peer(self, node: str) -> bool:
        """Whether this node is a bridge between the same two clusters."""
        return node in self._signs

    def peers(self, now: float) -> int:
        """Return how many other bridges there are between the same two clusters."""
        return len(self._there(now))

    def sign(self, able: bool) -> Sign:
        """Return what this bridge says. ``able`` tells whether it reaches our bus."""
        return Sign(self._node, self._since, able)

    def mine(self, now: float, able: bool) -> bool:
        """Whether this bridge works now."""
        if now < self._works_from:
            return False
        signs = [self.sign(able), *self._there(now)]
        first = min(signs, key=lambda sign: (not sign.able, sign.since, sign.node))
        return first.node == self._node

    def _there(self, now: float) -> list[Sign]:
        return [sign for sign, at in self._signs.values() if now - at < SILENT_AFTER]
