"""The scenarios, by the name that the command line knows."""

from __future__ import annotations

from loadtest.scenarios.base import Scenario
from loadtest.scenarios.blip import Blip
from loadtest.scenarios.broadcast import Broadcast
from loadtest.scenarios.churn import Churn
from loadtest.scenarios.connect import Connect
from loadtest.scenarios.direct import Direct
from loadtest.scenarios.echo import Echo
from loadtest.scenarios.idle import Idle
from loadtest.scenarios.mix import Mix
from loadtest.scenarios.reconnect import Reconnect
from loadtest.scenarios.rolling import Rolling
from loadtest.scenarios.room import Room
from loadtest.scenarios.skip import Skip
from loadtest.scenarios.slow import Slow

SCENARIOS: dict[str, type[Scenario]] = {
    one.__name__.lower(): one
    for one in (
        Connect,
        Idle,
        Echo,
        Room,
        Broadcast,
        Skip,
        Direct,
        Churn,
        Reconnect,
        Rolling,
        Slow,
        Mix,
        Blip,
    )
}
