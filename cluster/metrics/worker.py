"""The metrics of one worker: numbers are counted where things happen, and collected when a page is read."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from itertools import accumulate
from pathlib import Path
from typing import Final

from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from socketio_cluster.cluster.forward.forwarded_request import ForwardStats
from socketio_cluster.cluster.http.protocol import BODY, HEAD, HttpStats
from socketio_cluster.cluster.metrics.bus import read_bus
from socketio_cluster.cluster.metrics.clients import read_clients, read_times
from socketio_cluster.cluster.metrics.families import COUNTER, FAMILIES, Family
from socketio_cluster.cluster.metrics.lag import LoopLag
from socketio_cluster.cluster.metrics.readings import Labels, Readings, by_name
from socketio_cluster.manager.client_manager import ClusterManager
from socketio_cluster.manager.native import library
from socketio_cluster.manager.stats import BOUNDS, Histogram

Metric = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily

PAGES: Final = Path("/proc/self/statm")
ENDS: Final = (*map(str, BOUNDS), "+Inf")


class Metrics(Collector):
    """Collects the metrics of this process. It is made inside the running loop.

    Args:
        node: the worker's name, the label ``node`` of every metric.
        managers: returns the managers of the process.
        forwarded: the counters of requests that were passed on.
        http: the counters of HTTP connections that were closed.
        draining: returns whether the worker drains.
    """

    def __init__(
        self,
        node: str,
        managers: Callable[[], Sequence[ClusterManager]],
        forwarded: ForwardStats,
        http: HttpStats,
        draining: Callable[[], bool],
    ) -> None:
        self._node = node
        self._managers = managers
        self._forwarded = forwarded
        self._http = http
        self._draining = draining
        self._build = version("socketio-cluster"), library.kind()
        self._lag = LoopLag()

    def close(self) -> None:
        """Stop measuring."""
        self._lag.close()

    def exposition(self) -> bytes:
        """Return all metrics in Prometheus' text format 0.0.4."""
        return generate_latest(self)

    def collect(self) -> Iterator[Metric]:
        """Yield each family that has values."""
        managers = self._managers()
        readings = {**read_clients(managers), **read_bus(managers), **self._read_process()}
        times = read_times(managers)
        for family in FAMILIES:
            if family.name in readings:
                yield self._plain(family, readings[family.name])
            elif family.name in times:
                yield self._histogram(family, times[family.name])

    def _read_process(self) -> Readings:
        sent = sum(self._forwarded.requests.values())
        process: Readings = {
            "socketio_forwarded_requests_total": {("out",): sent, ("in",): self._forwarded.taken},
            "socketio_http_timeouts_total": by_name([self._http.timeouts], (HEAD, BODY)),
            "socketio_http_cut_off_total": {(): self._http.cut_off},
            "socketio_emit_requests_total": by_name([self._http.emits]),
            "socketio_node_draining": {(): int(self._draining())},
            "socketio_node_loop_lag_seconds": {(): self._lag.seconds},
            "process_cpu_seconds_total": {(): time.process_time()},
            "socketio_build_info": {self._build: 1},
        }
        if PAGES.exists():  # macOS has no such file
            pages = int(PAGES.read_text().split()[1])
            process["process_resident_memory_bytes"] = {(): pages * os.sysconf("SC_PAGE_SIZE")}
        return process

    def _plain(self, family: Family, values: dict[Labels, float]) -> Metric:
        make = CounterMetricFamily if family.kind == COUNTER else GaugeMetricFamily
        metric = make(family.name, family.text, labels=("node", *family.labels))
        for labels, value in values.items():
            metric.add_metric((self._node, *labels), value)
        return metric

    def _histogram(self, family: Family, values: dict[Labels, Histogram]) -> Metric:
        metric = HistogramMetricFamily(family.name, family.text, labels=("node", *family.labels))
        for labels, times in values.items():
            buckets = list(zip(ENDS, accumulate(times.counts), strict=True))
            metric.add_metric((self._node, *labels), buckets, times.total)
        return metric
