"""The timeline: what happened in each second, of one process or of all workers together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from socketio_cluster.loadtest.latency import Latency

EVENTS = (
    "deliveries",
    "errors",
    "connects",
    "disconnects",
    "reconnects",
    "recovered",
    "refused",
    "tolerated",
)
"""What is counted: connects that were `refused`, reconnects that were `recovered`, and `tolerated` failures
that the scenario brings about itself."""

KINDS = ("same_node", "cross_node", "calls", "connecting")
"""What is timed: deliveries within a node and between two, acks of calls, connects."""


@dataclass
class Second:
    """One second: counts that add up, latencies, and the state at some moment within it."""

    counts: Counter[str] = field(default_factory=Counter)
    latencies: dict[str, Latency] = field(default_factory=lambda: {kind: Latency() for kind in KINDS})
    users: int = 0
    connections: Counter[str] = field(default_factory=Counter)
    generator_cpu: float = 0.0
    server: dict[str, dict[str, float]] = field(default_factory=dict)

    def deliveries(self) -> Latency:
        """The latencies of all deliveries."""
        both = Latency()
        for kind in ("same_node", "cross_node"):
            both.merge(self.latencies[kind].buckets, self.latencies[kind].longest)
        return both


class Timeline:
    """Seconds since the epoch with what happened in them, and the texts of errors with their counts."""

    def __init__(self) -> None:
        self.seconds: dict[int, Second] = {}
        self.errors: Counter[str] = Counter()

    def at(self, now: float) -> Second:
        """The second of this time."""
        second = self.seconds.get(int(now))
        if second is None:
            second = self.seconds[int(now)] = Second()
        return second

    def count(self, event: str, now: float) -> None:
        """Count one of EVENTS."""
        self.at(now).counts[event] += 1

    def time(self, kind: str, seconds: float, now: float) -> None:
        """Take a latency of one of KINDS."""
        self.at(now).latencies[kind].add(seconds)

    def error(self, text: str, now: float) -> None:
        """Count an error by its text."""
        self.count("errors", now)
        self.errors[text] += 1

    def total(self, event: str) -> int:
        """How often one of EVENTS happened."""
        return sum(second.counts[event] for second in self.seconds.values())

    def latency(self, *kinds: str) -> Latency:
        """All latencies of these KINDS."""
        whole = Latency()
        for second in self.seconds.values():
            for kind in kinds:
                whole.merge(second.latencies[kind].buckets, second.latencies[kind].longest)
        return whole

    def take(self) -> list[Any]:
        """Remove everything and return it as plain values, for the wire between workers."""
        seconds, self.seconds = self.seconds, {}
        errors, self.errors = self.errors, Counter()
        return [[[at, _dump(second)] for at, second in seconds.items()], dict(errors)]

    def merge(self, taken: list[Any]) -> None:
        """Add what another process has taken from its timeline."""
        for at, (counts, latencies, users, connections, cpu) in taken[0]:
            second = self.at(at)
            second.counts.update(counts)
            for kind, (buckets, longest) in latencies.items():
                second.latencies[kind].merge(dict(buckets), longest)
            second.users += users
            second.connections.update(connections)
            second.generator_cpu = max(second.generator_cpu, cpu)
        self.errors.update(taken[1])

    def records(self) -> list[dict[str, Any]]:
        """A record of each second from the first to the last, counted from 0, with milliseconds."""
        if not self.seconds:
            return []
        first, last = min(self.seconds), max(self.seconds)
        return [_record(at - first, self.seconds.get(at) or Second()) for at in range(first, last + 1)]


def _dump(second: Second) -> list[Any]:
    latencies = {
        kind: [list(one.buckets.items()), one.longest] for kind, one in second.latencies.items() if one.count
    }
    counts, connections = dict(second.counts), dict(second.connections)
    return [counts, latencies, second.users, connections, second.generator_cpu]


def _record(at: int, second: Second) -> dict[str, Any]:
    latency = second.deliveries().summary()
    return {
        "second": at,
        "users": second.users,
        **{event: second.counts[event] for event in EVENTS},
        **{f"{name}_ms": latency[name] for name in ("p50", "p90", "p99", "max")},
        "connections_by_node": dict(sorted(second.connections.items())),
        "generator_cpu": second.generator_cpu,
        "server": second.server,
    }
