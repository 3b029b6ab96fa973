"""Engine.IO to the letter, where python-engineio is lax; see ``install``."""

from __future__ import annotations

from socketio_cluster.cluster.strict.gate import Gate
from socketio_cluster.cluster.strict.opening import Opening
from socketio_cluster.cluster.strict.pings import PingClock
from socketio_cluster.cluster.strict.websocket import CheckedWebSockets
from socketio_cluster.manager.client_manager import ClusterManager

__all__ = ["install"]


def install(manager: ClusterManager) -> None:
    """Make the Engine.IO server of a manager answer as the JavaScript server does; once is enough.

    After the lanes, which would put themselves in the place of the checks on WebSockets. Only attributes
    of the Engine.IO server are replaced; what forwards the requests of other nodes' sessions stands before
    the Socket.IO server. The other async modes have no ASGI requests to check.
    """
    if manager.server is None or manager.server.eio.async_mode != "asgi":
        return
    eio = manager.server.eio
    if not hasattr(eio, "gate"):
        PingClock(eio)
        eio.gate = Gate(eio, manager.spawn, manager.stats)
        Opening(eio)
        CheckedWebSockets(eio, manager.stats)
