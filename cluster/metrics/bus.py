"""Reads the metrics of the bus and of other nodes from a worker's managers, when a page is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from socketio_cluster.cluster.metrics.readings import Labels, Readings, by_name
from socketio_cluster.manager.client_manager import ClusterManager

UNBELIEVED: Final = ("malformed", "version", "unsigned", "signature", "old", "number")


def read_bus(managers: Sequence[ClusterManager]) -> Readings:
    """Read the values that concern other nodes; the counts of several managers are added."""
    stats = [manager.stats for manager in managers]
    return {
        "socketio_bus_up": {(): int(all(manager.ready for manager in managers))},
        "socketio_bus_lag_seconds": {(): max((one.lag for one in stats), default=0.0)},
        "socketio_bus_shard_up": _shards_up(managers),
        "socketio_bus_shard_buffered_bytes": _shards_wait(managers),
        "socketio_nodes": _nodes(managers),
        "socketio_nodes_differing": {(): sum(manager.differences.count for manager in managers)},
        "socketio_envelopes_published_total": by_name(one.published for one in stats),
        "socketio_envelopes_received_total": by_name(one.received for one in stats),
        "socketio_envelopes_refused_total": by_name((one.refused for one in stats), UNBELIEVED),
        **{f"socketio_{name}": {(): sum(map(read, managers))} for name, read in _PLAIN.items()},
    }


_PLAIN: Final[dict[str, Callable[[ClusterManager], int]]] = {
    "bus_reconnects_total": lambda manager: manager.stats.reconnects,
    "bus_publish_errors_total": lambda manager: manager.node.publisher.errors,
    "bus_buffered_bytes": lambda manager: manager.node.publisher.unsent_bytes,
    "bus_dropped_total": lambda manager: manager.stats.dropped,
    "bus_gaps_total": lambda manager: manager.stats.gaps,
    "bus_lost_total": lambda manager: manager.stats.lost,
    "envelopes_longer_total": lambda manager: manager.stats.longer,
    "envelopes_repeated_total": lambda manager: manager.stats.repeats,
}


def _shards_up(managers: Sequence[ClusterManager]) -> dict[Labels, float]:
    up: dict[Labels, float] = {}
    for manager in managers:
        for number, shard in enumerate(manager.node.shards):
            up[str(number),] = min(up.get((str(number),), 1), int(shard.ready))
    return up


def _shards_wait(managers: Sequence[ClusterManager]) -> dict[Labels, float]:
    waits: Counter[str] = Counter()
    for manager in managers:
        for number, shard in enumerate(manager.node.shards):
            waits[str(number)] += shard.publisher.backlog.unsent_bytes
    return by_name([waits])


def _nodes(managers: Iterable[ClusterManager]) -> dict[Labels, float]:
    draining = [info.draining for manager in managers for info in manager.nodes().values()]
    return {("alive",): draining.count(False), ("draining",): draining.count(True)}
