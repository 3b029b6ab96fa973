"""The line on the terminal that says how a run goes."""

from __future__ import annotations

from socketio_cluster.loadtest.latency import Latency
from socketio_cluster.loadtest.timeline import Second, Timeline


def line(timeline: Timeline, started: float, until: float, seconds: int) -> str:
    """One line about the `seconds` up to `until`, which count from `started`."""
    window = [timeline.seconds.get(int(until) - ago) or Second() for ago in range(1, seconds + 1)]
    latency = Latency()
    for second in window:
        one = second.deliveries()
        latency.merge(one.buckets, one.longest)
    state = max(window, key=lambda second: (second.users, sum(second.connections.values())))
    deliveries = sum(second.counts["deliveries"] for second in window)
    reconnects = timeline.total("reconnects")
    parts = [
        f"{until - started:4.0f} s",
        f"{state.users} users",
        f"{sum(state.connections.values())} connections on {len(state.connections)} nodes",
        f"{deliveries / seconds:,.0f} deliveries/s",
        *_percentiles(latency),
        *([f"{reconnects} reconnects"] if reconnects else []),
        f"{timeline.total('errors')} errors",
        f"generator {max(second.generator_cpu for second in window):.0%} of a core",
    ]
    return " · ".join(parts)


def _percentiles(latency: Latency) -> list[str]:
    p50, p99 = latency.percentile(0.5), latency.percentile(0.99)
    return [] if p50 is None or p99 is None else [f"p50 {p50 * 1000:.1f} ms", f"p99 {p99 * 1000:.1f} ms"]
