"""idle: connections that do nothing but live."""

from __future__ import annotations

from typing import Any

from socketio_cluster.loadtest.scenarios.base import Scenario


class Idle(Scenario):
    """Users connect and stay; only pings are answered."""

    talks = False

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.acts = False
