"""The ledger: all that was sent and all that came, of one process or of all workers together."""

from __future__ import annotations

from typing import Any

from socketio_cluster.loadtest.receiver import Receiver
from socketio_cluster.loadtest.stream import Stream


class Ledger:
    """Streams by their `src`, receivers by their id; both ids are unique among all workers."""

    def __init__(self) -> None:
        self.streams: dict[str, Stream] = {}
        self.receivers: dict[str, Receiver] = {}

    def stream(self, src: str, target: str, owner: str, *, skip: bool = False) -> Stream:
        """Open a stream of this owner to a target; with `skip` the owner must not get it."""
        stream = self.streams[src] = Stream(target, owner, skip)
        return stream

    def receiver(self, name: str) -> Receiver:
        """Open a receiver."""
        receiver = self.receivers[name] = Receiver()
        return receiver

    @property
    def open(self) -> bool:
        """Whether a sender still waits for an answer, so that more may become due."""
        return any(stream.open for stream in self.streams.values())

    def dump(self) -> dict[str, Any]:
        """Return a full copy of this moment as plain values, for the wire between workers."""
        return {
            "streams": {src: stream.dump() for src, stream in self.streams.items()},
            "receivers": {name: receiver.dump() for name, receiver in self.receivers.items()},
        }

    def merge(self, dump: dict[str, Any]) -> None:
        """Add what another process has dumped. A later dump of that process replaces the earlier one."""
        for src, stream in dump["streams"].items():
            self.streams[src] = Stream.load(stream)
        for name, receiver in dump["receivers"].items():
            self.receivers[name] = Receiver.load(receiver)
