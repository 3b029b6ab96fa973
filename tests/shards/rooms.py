"""Rooms on each shard of a node."""

from __future__ import annotations

from itertools import count


def room_on(node, shard, name="room"):
    """The name of a room on this shard."""
    names = node.manager.node.channels
    return next(
        room for room in (f"{name} {n}" for n in count()) if names.shard(names.room("/", room)) == shard
    )


def rooms_of(node, name="room"):
    """One room on each shard."""
    return [room_on(node, shard, name) for shard in range(len(node.manager.node.shards))]
