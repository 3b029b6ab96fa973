"""What Prometheus reads: ``Metrics`` of each worker, and ``merge`` for the supervisor."""

from typing import Final

from socketio_cluster.cluster.metrics.readings import merge

__all__ = ["CONTENT_TYPE", "merge"]

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
