"""direct: messages to single clients, on other nodes where possible."""

from __future__ import annotations

import random
from typing import Any

from socketio_cluster.loadtest.scenarios.base import Scenario

GROUP = 10
"""Users who know each other: some are on other nodes, and introducing them costs little."""


class Direct(Scenario):
    """Users of a group learn each other's sids in a room, and then write to each other directly."""

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self._peers: dict[str, str] = {}
        self._new: list[str] = []

    @property
    def _lobby(self) -> str:
        return f"lobby {self.number // GROUP}"

    def prepare(self) -> None:
        """Join the group's room and introduce this user."""
        self.join(self._lobby)
        self.say(self._lobby, sid=self.sid)

    def connect(self) -> None:
        """Connect; on a return introduce this user again, who has a new sid."""
        super().connect()
        if self.rooms:
            self.say(self._lobby, sid=self.sid)

    def on_event(self, event: str, args: list[Any]) -> None:
        """Remember who is in the group and where."""
        peer = args[0].get("sid") if event == "said" else None
        if peer and peer != self.sid and peer not in self._peers:
            self._peers[peer] = args[0]["node"]
            self._new.append(peer)

    def step(self) -> None:
        """Write to somebody, to newcomers first: they do not know this user yet."""
        if self._new:
            self.tell(self._new.pop(), sid=self.sid)
        elif self._peers:
            elsewhere = [peer for peer, node in self._peers.items() if node != self.node]
            self.tell(random.choice(elsewhere or list(self._peers)))
