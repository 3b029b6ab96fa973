"""What the hub keeps for the clusters that use it: the last events, and the sessions of their clients."""

from __future__ import annotations

import time

from socketio_cluster.manager.bus.envelope import read_header
from socketio_cluster.manager.bus.stamp import stamped
from socketio_cluster.manager.bus.store import Operation, Result, cluster_of
from socketio_cluster.manager.errors import EnvelopeError
from socketio_cluster.manager.recovery.memory import Memory


class HubMemories:
    """One memory for each cluster, made at its first use. They live as long as the hub."""

    def __init__(self) -> None:
        self._memories: dict[str, Memory] = {}

    def record(self, channels: tuple[str, ...], envelope: bytes) -> bytes | None:
        """Number and keep an event. Returns it with its stamp, or None if it was recorded before.

        What is no envelope is returned as it is: those who get it will refuse it.
        """
        try:
            header = read_header(envelope)
        except EnvelopeError:
            return envelope
        now = time.time()
        memory = self._of(cluster_of(channels[0]), now)
        stamp = memory.record(header.origin, header.number, channels, envelope, now)
        return stamped(stamp, envelope) if stamp is not None else None

    def ask(self, cluster: str, operation: Operation) -> Result:
        """Carry out an operation on the memory of a cluster."""
        now = time.time()
        return self._of(cluster, now).carry_out(operation, now)

    def _of(self, cluster: str, now: float) -> Memory:
        memory = self._memories.get(cluster)
        if memory is None:
            memory = self._memories[cluster] = Memory(now)
        return memory
