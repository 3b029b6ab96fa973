"""What `locust -f loadtest/locustfile.py` loads: name a scenario's class after it, such as Room."""

from __future__ import annotations

import sys
from typing import Any

from locust import events

import socketio_cluster.loadtest.hooks  # noqa: F401 - installs the options and the verdict
from socketio_cluster.loadtest.scenarios import SCENARIOS
from socketio_cluster.loadtest.scenarios.swarms import SWARMS

globals().update({one.__name__: one for one in (*SCENARIOS.values(), *SWARMS.values())})


def _one_at_least(environment: Any, **_: Any) -> None:
    """Without a name Locust would mix users of all scenarios."""
    options = environment.parsed_options
    if options.headless and not options.worker and not options.user_classes:
        names = ", ".join(one.__name__ for one in SCENARIOS.values())
        print(
            f"loadtest: name a scenario: locust -f {__file__} Room, or another of {names}",
            file=sys.stderr,
        )
        sys.exit(2)


hooks: Any = events
hooks.init.add_listener(_one_at_least)
