"""The Socket.IO cluster for Python: many uvicorn nodes that behave as one Socket.IO server.

Each public name is imported when somebody asks for it. So the load test runs without Socket.IO's server, and
the supervisor without its workers' libraries.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from socketio_cluster.cluster.any_node.any_node import AnyNode
    from socketio_cluster.cluster.clients.client import AsyncClient
    from socketio_cluster.cluster.clients.sync_client import Client
    from socketio_cluster.cluster.middleware.refusal import Refused, Skip
    from socketio_cluster.cluster.plain.codec import Codec, JsonCodec
    from socketio_cluster.cluster.plain.endpoint import PlainWebSockets
    from socketio_cluster.cluster.plain.message import BadMessage, Message
    from socketio_cluster.cluster.server import AsyncServer
    from socketio_cluster.cluster.sync_server import Server
    from socketio_cluster.manager.async_emitter import AsyncEmitter
    from socketio_cluster.manager.bus.roster import NodeInfo
    from socketio_cluster.manager.client_gone import ClientGone
    from socketio_cluster.manager.client_manager import ClusterManager
    from socketio_cluster.manager.emitter import Emitter
    from socketio_cluster.manager.errors import (
        BrokerError,
        ClusterError,
        EnvelopeError,
        EventTooLarge,
        NodeTimeout,
        PartialAnswer,
        SettingError,
        TooManyRooms,
    )
    from socketio_cluster.manager.options import Options
    from socketio_cluster.manager.presence.presence import Presence
    from socketio_cluster.manager.queries.ack_calls import ClientAnswer
    from socketio_cluster.manager.queries.asking import Stream
    from socketio_cluster.manager.queries.blocking_broadcast import BlockingBroadcast
    from socketio_cluster.manager.queries.broadcast import Broadcast
    from socketio_cluster.manager.queries.selection import Whom
    from socketio_cluster.manager.queries.socket_info import SocketInfo
    from socketio_cluster.manager.stats import Stats
    from socketio_cluster.manager.sync.presence import BlockingPresence
    from socketio_cluster.manager.sync.sync_manager import SyncClusterManager

__all__ = [
    "AnyNode",
    "AsyncClient",
    "AsyncEmitter",
    "AsyncServer",
    "BadMessage",
    "BlockingBroadcast",
    "BlockingPresence",
    "Broadcast",
    "BrokerError",
    "Client",
    "ClientAnswer",
    "ClientGone",
    "ClusterError",
    "ClusterManager",
    "Codec",
    "Emitter",
    "EnvelopeError",
    "EventTooLarge",
    "JsonCodec",
    "Message",
    "NodeInfo",
    "NodeTimeout",
    "Options",
    "PartialAnswer",
    "PlainWebSockets",
    "Presence",
    "Refused",
    "Server",
    "SettingError",
    "Skip",
    "SocketInfo",
    "Stats",
    "Stream",
    "SyncClusterManager",
    "TooManyRooms",
    "Whom",
]

_MODULES: Final = {
    "AnyNode": "cluster.any_node.any_node",
    "AsyncClient": "cluster.clients.client",
    "AsyncEmitter": "manager.async_emitter",
    "AsyncServer": "cluster.server",
    "BadMessage": "cluster.plain.message",
    "BlockingBroadcast": "manager.queries.blocking_broadcast",
    "BlockingPresence": "manager.sync.presence",
    "Broadcast": "manager.queries.broadcast",
    "BrokerError": "manager.errors",
    "Client": "cluster.clients.sync_client",
    "ClientAnswer": "manager.queries.ack_calls",
    "ClientGone": "manager.client_gone",
    "ClusterError": "manager.errors",
    "ClusterManager": "manager.client_manager",
    "Codec": "cluster.plain.codec",
    "Emitter": "manager.emitter",
    "EnvelopeError": "manager.errors",
    "EventTooLarge": "manager.errors",
    "JsonCodec": "cluster.plain.codec",
    "Message": "cluster.plain.message",
    "NodeInfo": "manager.bus.roster",
    "NodeTimeout": "manager.errors",
    "Options": "manager.options",
    "PartialAnswer": "manager.errors",
    "PlainWebSockets": "cluster.plain.endpoint",
    "Presence": "manager.presence.presence",
    "Refused": "cluster.middleware.refusal",
    "Server": "cluster.sync_server",
    "SettingError": "manager.errors",
    "Skip": "cluster.middleware.refusal",
    "SocketInfo": "manager.queries.socket_info",
    "Stats": "manager.stats",
    "Stream": "manager.queries.asking",
    "SyncClusterManager": "manager.sync.sync_manager",
    "TooManyRooms": "manager.errors",
    "Whom": "manager.queries.selection",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
