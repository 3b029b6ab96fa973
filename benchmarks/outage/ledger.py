"""Which events each node of a crowd was owed, and which it has heard."""

from __future__ import annotations

from dataclasses import dataclass

from socketio_cluster.manager.bus.messages import Emit, Message

HEAD = 15
"""Digits in front of an event's padding: five for the sender, ten for its number."""


def event(sender: int, number: int, size: int) -> bytes:
    """Give the payload of an event: ``size`` bytes, at least the digits."""
    return b"%05d%010d" % (sender, number) + b"x" * (size - HEAD)


def read(payload: bytes) -> tuple[int, int]:
    """Give sender and number."""
    return int(payload[:5]), int(payload[5:HEAD])


@dataclass
class Track:
    """What one node has heard of one sender; ``next`` is the number that is due."""

    next: int = 0
    heard: int = 0
    wrong: int = 0
    """Events that came twice, or after a later one."""

    def take(self, number: int) -> None:
        """Note an event."""
        if number < self.next:
            self.wrong += 1
            return
        self.heard += 1
        self.next = number + 1


class Ear:
    """Listens for one node: ``socketio_cluster.manager.bus.node_listener.Hears``."""

    client_count = 0

    def __init__(self, senders: list[int]) -> None:
        self.tracks = {sender: Track() for sender in senders}

    def heard(self, origin: str, message: Message) -> None:
        """Note an event of another node."""
        assert isinstance(message, Emit)
        sender, number = read(message.parts[0])
        if sender in self.tracks:
            self.tracks[sender].take(number)

    def node_here(self, node: str) -> None:
        """Nobody waits for it."""

    def node_gone(self, node: str, *, died: bool) -> None:
        """Nobody waits for it."""
