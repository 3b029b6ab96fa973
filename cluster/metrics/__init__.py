"""The metrics for Prometheus: ``Metrics`` makes those of a worker, the supervisor joins them by ``merge``."""

from typing import Final

from socketio_cluster.cluster.metrics.readings import merge

__all__ = ["CONTENT_TYPE", "merge"]

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
