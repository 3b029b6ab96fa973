"""What a node that was cut off gets from each sender."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from socketio_cluster.manager.bus.backlog import Backlog
from socketio_cluster.manager.bus.channels import Channels
from socketio_cluster.manager.bus.messages import Replay

PIECE_BYTES: Final = 256 * 1024


def pieces(backlog: Backlog, channels: Channels, inbox: str, seen: int) -> Iterator[Replay]:
    """Everything kept after number ``seen`` that may concern the node with this inbox.

    At least one piece, of about 256 KiB each; what went to the inboxes of other nodes alone is left out.
    """
    lost = backlog.floor > seen
    envelopes: list[bytes] = []
    size = 0
    for entry in list(backlog.since(seen)):
        if all(channels.is_inbox(channel) and channel != inbox for channel in entry.channels):
            continue
        if size > PIECE_BYTES:
            yield Replay(envelopes, more=True, lost=lost)
            envelopes, size = [], 0
        envelopes.append(entry.payload)
        size += len(entry.payload)
    yield Replay(envelopes, more=False, lost=lost)
