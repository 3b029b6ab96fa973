"""Every metric of a worker: its name, its kind, its labels besides ``node``, and its meaning."""

from __future__ import annotations

from typing import Final, NamedTuple

COUNTER: Final = "counter"
GAUGE: Final = "gauge"
HISTOGRAM: Final = "histogram"


class Family(NamedTuple):
    """A metric as Prometheus knows it."""

    name: str
    kind: str
    text: str
    labels: tuple[str, ...] = ()


FAMILIES: Final = (
    Family("socketio_connections", GAUGE, "Open connections (Engine.IO sessions)", ("transport",)),
    Family(
        "socketio_connections_accepted_total",
        COUNTER,
        "Connections taken, by the transport they began with",
        ("transport",),
    ),
    Family("socketio_connections_refused_total", COUNTER, "Connections and clients not let in", ("reason",)),
    Family("socketio_disconnects_total", COUNTER, "Clients that left, counted per namespace", ("reason",)),
    Family("socketio_clients", GAUGE, "Clients, counted per namespace"),
    Family("socketio_rooms", GAUGE, "Rooms with a member on this node, clients' own rooms not counted"),
    Family("socketio_rooms_refused_total", COUNTER, "Rooms not entered: the client was in as many as it may"),
    Family("socketio_events_received_total", COUNTER, "Events from clients"),
    Family("socketio_events_sent_total", COUNTER, "Emits of this node, to however many clients"),
    Family("socketio_received_bytes_total", COUNTER, "Bytes of packets from clients"),
    Family("socketio_sent_bytes_total", COUNTER, "Bytes of packets to clients"),
    Family("socketio_deliveries_total", COUNTER, "Events handed to clients, once for each of them"),
    Family("socketio_slow_consumers_total", COUNTER, "Clients disconnected because they did not read"),
    Family(
        "socketio_recoveries_total",
        COUNTER,
        "Clients that came back with a session's id: recovered, or why not",
        ("outcome",),
    ),
    Family("socketio_replayed_events_total", COUNTER, "Events sent to clients that had missed them"),
    Family("socketio_replay_seconds", HISTOGRAM, "How old these events were"),
    Family("socketio_queued_bytes", GAUGE, "Bytes that wait until clients read them"),
    Family("socketio_handlers", GAUGE, "Event handlers that run, those of clients that have left included"),
    Family("socketio_handler_seconds", HISTOGRAM, "How long event handlers ran", ("event",)),
    Family("socketio_ack_seconds", HISTOGRAM, "From an event that asks for an ack to the answer"),
    Family("socketio_rate_limited_total", COUNTER, "Events that had to wait: their client sent too many"),
    Family(
        "socketio_forwarded_requests_total",
        COUNTER,
        "Requests passed on to the node of their session, or taken from another",
        ("direction",),
    ),
    Family(
        "socketio_http_timeouts_total",
        COUNTER,
        "Connections closed because a request did not come to its end in time",
        ("part",),
    ),
    Family(
        "socketio_http_cut_off_total", COUNTER, "Connections closed because too many requests were pipelined"
    ),
    Family("socketio_emit_requests_total", COUNTER, "Answers to POST /emit", ("status",)),
    Family("socketio_bus_up", GAUGE, "1 while this node hears the others"),
    Family("socketio_bus_shard_up", GAUGE, "1 while this node hears the others on a shard", ("shard",)),
    Family(
        "socketio_bus_shard_buffered_bytes",
        GAUGE,
        "Bytes of envelopes that a shard has not got yet",
        ("shard",),
    ),
    Family("socketio_bus_lag_seconds", GAUGE, "From publish to receive of this node's last heartbeat"),
    Family("socketio_bus_reconnects_total", COUNTER, "Times the link to the bus was made anew"),
    Family("socketio_bus_publish_errors_total", COUNTER, "Batches that the bus did not take at once"),
    Family("socketio_bus_buffered_bytes", GAUGE, "Bytes of envelopes that the bus has not got yet"),
    Family(
        "socketio_bus_dropped_total", COUNTER, "Envelopes that the bus never got: buffer full, or too old"
    ),
    Family("socketio_bus_gaps_total", COUNTER, "Senders that could not give this node what it had missed"),
    Family("socketio_bus_lost_total", COUNTER, "Envelopes for this node that were lost so, at least"),
    Family("socketio_envelopes_published_total", COUNTER, "Messages to other nodes", ("kind",)),
    Family("socketio_envelopes_received_total", COUNTER, "Messages from other nodes", ("kind",)),
    Family("socketio_envelopes_refused_total", COUNTER, "Envelopes that were not believed", ("reason",)),
    Family(
        "socketio_envelopes_longer_total",
        COUNTER,
        "Messages with fields of a newer release, which were ignored",
    ),
    Family("socketio_envelopes_repeated_total", COUNTER, "Envelopes that came twice and were dropped"),
    Family("socketio_node_draining", GAUGE, "1 while this node lets its clients go"),
    Family("socketio_node_loop_lag_seconds", GAUGE, "The latest that the event loop was in 15 to 30 seconds"),
    Family("socketio_nodes", GAUGE, "Live nodes that this one knows, itself included", ("state",)),
    Family("socketio_nodes_differing", GAUGE, "Nodes with another recovery_seconds than this one"),
    Family("process_cpu_seconds_total", COUNTER, "CPU time of the process"),
    Family("process_resident_memory_bytes", GAUGE, "Memory of the process"),
    Family(
        "socketio_build_info",
        GAUGE,
        "1, with the version of socketio-cluster, and whether the ways of events are compiled",
        ("version", "events"),
    ),
)
