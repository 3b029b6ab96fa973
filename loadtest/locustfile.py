"""What `locust -f loadtest/locustfile.py` loads: name a scenario's class after it, such as Room."""

from __future__ import annotations

import loadtest.hooks  # noqa: F401 - installs the options and the verdict
from loadtest.scenarios import SCENARIOS
from loadtest.scenarios.swarms import SWARMS

globals().update({one.__name__: one for one in (*SCENARIOS.values(), *SWARMS.values())})
