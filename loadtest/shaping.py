"""The shape of a test, in the form that Locust asks for."""

from __future__ import annotations

from typing import Any

from locust import LoadTestShape

from socketio_cluster.loadtest.shapes import users_at

SECONDS = 60
"""How long a shaped test takes when no run time was given."""


class Shape(LoadTestShape):
    """Follows one of SHAPES up to --users, in --run-time."""

    abstract = True  # made by the hooks when asked for, never found by Locust
    use_common_options = True

    def __init__(self, options: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._options = options

    def tick(self) -> tuple[int, float] | None:
        """The number of users now, and how fast to get there."""
        options = self._options
        users = options.num_users or 1
        second = self.get_run_time()  # type: ignore[no-untyped-call]
        now = users_at(options.shape, second, users, options.run_time or SECONDS)
        return None if now is None else (now, options.spawn_rate or users)
