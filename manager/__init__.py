"""The client manager that joins Socket.IO nodes over a bus."""

from socketio_cluster.manager.async_emitter import AsyncEmitter
from socketio_cluster.manager.bus.roster import NodeInfo
from socketio_cluster.manager.client_manager import ClusterManager, active_managers
from socketio_cluster.manager.emitter import Emitter
from socketio_cluster.manager.errors import (
    BrokerError,
    ClientGone,
    ClusterError,
    EnvelopeError,
    NodeTimeout,
    SettingError,
    TooManyRooms,
)
from socketio_cluster.manager.options import Options
from socketio_cluster.manager.stats import Stats
from socketio_cluster.manager.sync import SyncClusterManager

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
