"""Names of the channels on the bus.

Three kinds: the one that every node reads, one inbox per node, and one per room that has members.
The prefix keeps clusters on one bus apart. It stands in braces, Redis Cluster's hash tag, so that all
channels of a cluster live in one shard: the order between a room, an inbox and a broadcast holds only
within a shard.
"""

from __future__ import annotations

from typing import Final
from zlib import crc32

PARTITIONS: Final = 64
"""How many routing keys stand for all rooms on AMQP. A binding per room is a known disaster on
RabbitMQ; all nodes of a cluster must agree on the number, so it is not a setting."""

Room = str | int


def check_room(room: object) -> Room:
    """Give a room's name in its plain form.

    Raises ``TypeError`` for one that is neither str nor int, ``ValueError`` for one that no bus can carry:
    clients may choose names, and JSON can say what UTF-8 cannot.
    """
    if isinstance(room, str):
        room = str.__str__(room)  # a str enum travels as its value
        if not room.isascii():
            try:
                room.encode()
            except UnicodeEncodeError:
                raise ValueError(
                    f"a room's name must be text that UTF-8 can hold, not {room!r:.80}"
                ) from None
        return room
    if isinstance(room, int):
        if not -(2**63) <= room < 2**64:
            raise ValueError(f"a room's number must have at most 64 bits, not {room.bit_length()}")
        return int(room)
    raise TypeError(f"a room is named by a str or an int, not {type(room).__name__}: {room!r}")


class Channels:
    """The channel names of one cluster; ``prefix`` may hold no braces."""

    def __init__(self, prefix: str) -> None:
        self.everyone = f"{{{prefix}}}:all"
        self._inbox = f"{{{prefix}}}:node:"
        self._room = f"{{{prefix}}}:room:"

    def inbox(self, node: str) -> str:
        """The channel that only this node reads."""
        return self._inbox + node

    def is_inbox(self, channel: str) -> bool:
        """Whether a single node reads this channel."""
        return channel.startswith(self._inbox)

    def namespace(self, namespace: str) -> str:
        """The channel of an emit to everyone in a namespace."""
        return f"{self._room}{namespace},"

    def room(self, namespace: str, room: Room) -> str:
        """The channel of a room. No namespace holds a comma (the packet format ends it there)."""
        kind = "s" if isinstance(room, str) else "i"
        return f"{self._room}{namespace},{kind}{room}"


def routing_key(channel: str) -> str:
    """Give the AMQP routing key of a channel: rooms share ``PARTITIONS`` keys, the rest keep theirs."""
    head, found, _ = channel.partition(":room:")
    if not found:
        return channel
    return f"{head}:part:{crc32(channel.encode()) % PARTITIONS}"
