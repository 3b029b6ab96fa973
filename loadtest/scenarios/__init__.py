"""The scenarios, by the name that the command line knows."""

from __future__ import annotations

from socketio_cluster.loadtest.scenarios.base import Scenario
from socketio_cluster.loadtest.scenarios.blip import Blip
from socketio_cluster.loadtest.scenarios.broadcast import Broadcast
from socketio_cluster.loadtest.scenarios.churn import Churn
from socketio_cluster.loadtest.scenarios.connect import Connect
from socketio_cluster.loadtest.scenarios.direct import Direct
from socketio_cluster.loadtest.scenarios.echo import Echo
from socketio_cluster.loadtest.scenarios.idle import Idle
from socketio_cluster.loadtest.scenarios.jitter import Jitter
from socketio_cluster.loadtest.scenarios.mix import Mix
from socketio_cluster.loadtest.scenarios.reconnect import Reconnect
from socketio_cluster.loadtest.scenarios.rolling import Rolling
from socketio_cluster.loadtest.scenarios.room import Room
from socketio_cluster.loadtest.scenarios.skip import Skip
from socketio_cluster.loadtest.scenarios.slow import Slow

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
        Jitter,
    )
}
