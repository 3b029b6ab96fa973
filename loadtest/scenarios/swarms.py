"""The scenarios for thousands of users in one process, where one loop serves all connections."""

from __future__ import annotations

from socketio_cluster.loadtest.scenarios import SCENARIOS
from socketio_cluster.loadtest.scenarios.base import Scenario
from socketio_cluster.loadtest.swarm.user import SwarmUser

ALONE = {
    "direct": "a swarm does not look into messages, from which its users learn each other's sids",
    "mix": "a swarm speaks WebSocket only",
}
"""Scenarios that do not run in a swarm, and why."""

SWARMS: dict[str, type[Scenario]] = {
    name: type(f"Swarm{one.__name__}", (SwarmUser, one), {"abstract": False})
    for name, one in SCENARIOS.items()
    if name not in ALONE
}
"""By the name of the scenario that they scale up."""
