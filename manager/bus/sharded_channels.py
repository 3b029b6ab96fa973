"""``ShardedChannels``: the names of the channels of a cluster whose rooms are spread over several shards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from zlib import crc32

from socketio_cluster.manager.bus.channels import Channels, Room
from socketio_cluster.manager.ids import node_of


class ShardedChannels(Channels):
    """The names of all channels. A name begins with the prefix of its shard.

    The shard of a room is the CRC-32 of its namespace and name, modulo the number of shards. All nodes find
    the same one, in every version. Everything else is on the first shard: namespaces, inboxes, and rooms with
    the form of a sid, because those are mostly clients.

    Args:
        prefixes: the prefix of each shard. They are all different, and have no braces.
    """

    def __init__(self, prefixes: Sequence[str]) -> None:
        super().__init__(prefixes[0])
        self._shards = [Channels(prefix) for prefix in prefixes]
        self._numbers = {_prefix_of(shard.everyone): number for number, shard in enumerate(self._shards)}

    def room(self, namespace: str, room: Room) -> str:
        """Return the channel of a room, on the shard of the room."""
        return self._shard_of(namespace, room).room(namespace, room)

    def inbox_beside(self, node: str, namespace: str, room: Room) -> str:
        """Return the inbox of a node on the shard of a room."""
        return self._shard_of(namespace, room).inbox(node)

    def shard(self, channel: str) -> int:
        """Return the number of the shard that has a channel. Raises ``KeyError`` for other names."""
        return self._numbers[_prefix_of(channel)]

    def together(self, channels: Iterable[str]) -> bool:
        """Whether one shard has all these channels."""
        return len({_prefix_of(channel) for channel in channels}) <= 1

    def _shard_of(self, namespace: str, room: Room) -> Channels:
        if node_of(room) is not None:
            return self._shards[0]
        kind = "s" if isinstance(room, str) else "i"
        return self._shards[crc32(f"{namespace},{kind}{room}".encode()) % len(self._shards)]


def _prefix_of(channel: str) -> str:
    return channel[: channel.index("}")]
