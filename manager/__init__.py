"""The client manager that joins Socket.IO nodes over a bus."""

from manager.async_emitter import AsyncEmitter
from manager.client_manager import ClusterManager, active_managers
from manager.emitter import Emitter
from manager.errors import (
    BrokerError,
    ClientGone,
    ClusterError,
    EnvelopeError,
    NodeTimeout,
    SettingError,
    TooManyRooms,
)
from manager.options import Options
from manager.roster import NodeInfo
from manager.stats import Stats
from manager.sync import SyncClusterManager

__all__ = [
    "AsyncEmitter",
    "BrokerError",
    "ClientGone",
    "ClusterError",
    "ClusterManager",
    "Emitter",
    "EnvelopeError",
    "NodeInfo",
    "NodeTimeout",
    "Options",
    "SettingError",
    "Stats",
    "SyncClusterManager",
    "TooManyRooms",
    "active_managers",
]
