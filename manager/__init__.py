"""The client manager that joins Socket.IO nodes over a bus."""

from manager.client_manager import ClusterManager, active_managers
from manager.errors import (
    BrokerError,
    ClientGone,
    ClusterError,
    EnvelopeError,
    NodeTimeout,
    SettingError,
)
from manager.options import Options
from manager.roster import NodeInfo
from manager.stats import Stats

__all__ = [
    "BrokerError",
    "ClientGone",
    "ClusterError",
    "ClusterManager",
    "EnvelopeError",
    "NodeInfo",
    "NodeTimeout",
    "Options",
    "SettingError",
    "Stats",
    "active_managers",
]
