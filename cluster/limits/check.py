"""Whether the limits that a user has set fit together."""

from __future__ import annotations

from socketio_cluster.cluster.errors import UsageError
from socketio_cluster.cluster.options import ServeOptions


def check_limits(options: ServeOptions) -> None:
    """Raise UsageError when a worker would be full before it is unready."""
    soft, hard = options.soft_connections, options.max_connections
    if soft is not None and hard is not None and soft > hard:
        raise UsageError(
            f"--soft-connections {soft} is above --max-connections {hard}: a worker would refuse clients "
            "while it is still ready"
        )
