"""What a node that was cut off gets from each sender."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from socketio_cluster.manager.bus.channels import Channels
from socketio_cluster.manager.bus.messages import Replay
from socketio_cluster.manager.bus.publisher import Publisher

PIECE_BYTES: Final = 256 * 1024


def pieces(publisher: Publisher, channels: Channels, inbox: str, seen: int) -> Iterator[Replay]:
    """Everything kept after number ``seen`` that may concern the node with this inbox.

    At least one piece, of 256 KiB at most but for a larger envelope, which has one to itself; what went to
    the inboxes of other nodes alone is left out.
    """
    backlog = publisher.backlog
    lost = backlog.floor > seen
    room = min(PIECE_BYTES, publisher.largest // 2)
    envelopes: list[bytes] = []
    size = 0
    for entry in list(backlog.since(seen)):
        if all(channels.is_inbox(channel) and channel != inbox for channel in entry.channels):
            continue
        if envelopes and size + len(entry.payload) > room:
            yield Replay(envelopes, more=True, lost=lost)
            envelopes, size = [], 0
        envelopes.append(entry.payload)
        size += len(entry.payload)
    yield Replay(envelopes, more=False, lost=lost)
