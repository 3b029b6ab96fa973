"""The names of the channels on the bus.

There are four kinds: one channel that every node reads, one inbox for each node, one for each room that
has members, and one that bridges read, which get every emit. The prefix keeps clusters on one bus apart. It
stands in braces, which is the hash tag of Redis Cluster. So all channels with one prefix are on one server:
the order between a room, an inbox and a broadcast holds only there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from zlib import crc32

PARTITIONS: Final = 64
"""The number of routing keys that stand for all rooms on AMQP.

RabbitMQ does not work well with a binding for each
room. All nodes of a cluster must have the same number, so it is not a setting."""

Room = str | int


def check_room(room: object) -> Room:
    """Return a room's name as a plain str or int.

    Raises ``TypeError`` for a name that is neither str nor int, and ``ValueError`` for one that no bus can
    carry. Clients may choose names, and JSON has texts that UTF-8 cannot hold.
    """
    if type(room) is str and room.isascii():
        return room
    if isinstance(room, str):
        room = str.__str__(room)  # A str enum is sent as its value.
        if not room.isascii():
            try:
                room.encode()
            except UnicodeEncodeError:
                raise ValueError(
                    f"a room's name must be text that UTF-8 can hold, not {room!r:.80}"
                ) from None
        return room
    if isinstance(room, int) and not isinstance(room, bool):
        if not -(2**63) <= room < 2**64:
            raise ValueError(f"a room's number must have at most 64 bits, not {room.bit_length()}")
        return int(room)
    raise TypeError(f"a room is named by a str or an int, not {type(room).__name__}: {room!r}")


class Channels:
    """The channel names of one cluster on one server of the bus. ``prefix`` must not contain braces."""

    def __init__(self, prefix: str) -> None:
        self.everyone = f"{{{prefix}}}:all"
        self._inbox = f"{{{prefix}}}:node:"
        self._room = f"{{{prefix}}}:room:"

    def inbox(self, node: str) -> str:
        """Return the channel that only this node reads."""
        return self._inbox + node

    def is_inbox(self, channel: str) -> bool:
        """Whether this channel is the inbox of a node."""
        return channel.startswith(self._inbox)

    def namespace(self, namespace: str) -> str:
        """Return the channel for emits to everybody in a namespace."""
        return f"{self._room}{namespace},"

    def rooms(self, namespace: str) -> str:
        """Return the text with which the channels of a namespace's rooms begin."""
        return f"{self._room}{namespace},"

    def room(self, namespace: str, room: Room) -> str:
        """Return the channel of a room.

        A namespace contains no comma, because the packet format ends it there.
        """
        kind = "s" if isinstance(room, str) else "i"
        return f"{self._room}{namespace},{kind}{room}"

    def inbox_beside(self, node: str, namespace: str, room: Room) -> str:
        """Return an inbox of a node that keeps the order with the channel of a room."""
        return self.inbox(node)

    @staticmethod
    def bridges_beside(channel: str) -> str:
        """Return the channel that bridges read, on the shard of another channel."""
        return channel[: channel.index("}")] + "}:bridges"

    @staticmethod
    def is_of_bridges(channel: str) -> bool:
        """Whether bridges read this channel, and nobody else."""
        return channel.partition("}")[2] == ":bridges"

    @staticmethod
    def everyone_beside(channel: str) -> str:
        """Return the channel that every node reads, on the shard of another channel."""
        return channel[: channel.index("}")] + "}:all"

    @staticmethod
    def namespace_of(channel: str) -> str:
        """Return the channel of the namespace in which a room, or a namespace itself, has this channel."""
        return channel[: channel.index(",", channel.index("}")) + 1]

    def shard(self, channel: str) -> int:
        """Return the number of the shard that has a channel. Here there is one, which has all of them."""
        return 0

    def together(self, channels: Iterable[str]) -> bool:
        """Whether one shard has all these channels."""
        return True


def routing_key(channel: str) -> str:
    """Return the AMQP routing key of a channel. All rooms share ``PARTITIONS`` keys."""
    head, found, _ = channel.partition(":room:")
    if not found:
        return channel
    return f"{head}:part:{crc32(channel.encode()) % PARTITIONS}"
