"""Reads the metrics of clients from a worker's managers, when a page is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

from socketio_cluster.cluster.metrics.readings import Readings, Times, added, by_name
from socketio_cluster.cluster.plain.socket import PlainSocket
from socketio_cluster.manager.client_manager import ClusterManager
from socketio_cluster.manager.stats import Histogram, Stats

TRANSPORTS: Final = ("polling", "websocket")
REFUSALS: Final = ("full", "rate", "draining", "protocol", "application")
OUTCOMES: Final = (
    "recovered",
    *("unknown", "late", "epoch", "offset", "busy", "taken", "mixed", "bus", "broken", "large"),
)
REASONS: Final = (
    "client disconnect",
    "server disconnect",
    "transport close",
    "transport error",
    "ping timeout",
    "slow consumer",
    "rate limit",
    "payload too large",
    "server shutting down",
    "connection too old",
)


def read_clients(managers: Sequence[ClusterManager]) -> Readings:
    """Read the values that concern clients. Series with a known label are there from the start, with 0."""
    stats = [manager.stats for manager in managers]
    sockets = [one for manager in managers for one in _sockets(manager)]
    rooms = [inside for manager in managers for inside in manager.members.rooms.values()]
    transports = Counter("websocket" if one.upgraded else "polling" for one in sockets)
    return {
        "socketio_connections": by_name([transports], TRANSPORTS),
        "socketio_connections_accepted_total": by_name((one.accepted for one in stats), TRANSPORTS),
        "socketio_connections_refused_total": by_name((one.turned_away for one in stats), REFUSALS),
        "socketio_disconnects_total": by_name((one.disconnects for one in stats), REASONS),
        "socketio_recoveries_total": by_name((one.recoveries for one in stats), OUTCOMES),
        "socketio_clients": {(): sum(manager.client_count for manager in managers)},
        "socketio_rooms": {(): sum(len(inside) - 1 for inside in rooms)},  # the room None has everybody in it
        "socketio_handlers": {(): sum(one.handlers for one in stats)},
        "socketio_queued_bytes": {(): sum(map(_queued, sockets))},
        **{f"socketio_{name}": {(): sum(map(read, stats))} for name, read in _PLAIN.items()},
    }


def read_times(managers: Sequence[ClusterManager]) -> Times:
    """Read the times that handlers and acks took."""
    events: dict[str, list[Histogram]] = {}
    for manager in managers:
        for event, times in manager.stats.handler_seconds.items():
            events.setdefault(event, []).append(times)
    return {
        "socketio_handler_seconds": {(event,): added(times) for event, times in events.items()},
        "socketio_ack_seconds": {(): added(manager.stats.ack_seconds for manager in managers)},
        "socketio_replay_seconds": {(): added(manager.stats.replay_seconds for manager in managers)},
    }


_PLAIN: Final[dict[str, Callable[[Stats], int]]] = {
    "rooms_refused_total": lambda stats: stats.rooms_refused,
    "events_received_total": lambda stats: stats.events,
    "events_sent_total": lambda stats: stats.emitted,
    "received_bytes_total": lambda stats: stats.received_bytes,
    "sent_bytes_total": lambda stats: stats.sent_bytes,
    "deliveries_total": lambda stats: stats.delivered,
    "replayed_events_total": lambda stats: stats.replayed,
    "slow_consumers_total": lambda stats: stats.slow_consumers,
    "rate_limited_total": lambda stats: stats.rate_limited,
}


def _sockets(manager: ClusterManager) -> list[Any]:
    eio = getattr(manager.server, "eio", None)
    return [] if eio is None else [one for one in eio.sockets.values() if not one.closed]


def _queued(socket: Any) -> int:
    if isinstance(socket, PlainSocket):
        return socket.writer.queued
    return getattr(socket.queue, "waiting", 0)
