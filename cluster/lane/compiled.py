"""What lanes have in C: ``_short.c``, the short way in of most servers, and ``_write.c``, the way out.

They are compiled where a C compiler is, see ``hatch_build.py``. Without them all works the same, slower.
"""

from __future__ import annotations

import asyncio
from asyncio.tasks import _enter_task, _leave_task
from typing import Any
from weakref import getweakrefcount

from socketio_cluster.cluster.lane.connection import Lane
from socketio_cluster.cluster.lane.events import decode, list_of
from socketio_cluster.cluster.lane.flusher import Flusher, failed
from socketio_cluster.cluster.lane.frames import longest_frame
from socketio_cluster.cluster.lane.handling import Handling
from socketio_cluster.cluster.lane.shortcut import Shortcut
from socketio_cluster.cluster.lane.starter import Spare, Spares
from socketio_cluster.cluster.lane.writer import OPEN, LaneWriter
from socketio_cluster.manager.client_manager import ClusterManager
from socketio_cluster.manager.clients.client import CONNECTED, Client
from socketio_cluster.manager.clients.outgoing import Outgoing
from socketio_cluster.manager.clients.packets import RESERVED, Encoded
from socketio_cluster.manager.native.library import SHORT, WRITE, make
from socketio_cluster.manager.stats import BOUNDS, Histogram, Stats


def lane_class(
    manager: ClusterManager, handling: Handling, shortcut: Shortcut, flusher: Flusher
) -> type[Lane]:
    """Return the class of the lanes of a server: with the methods that are there in C, and can be used."""
    methods = {"write": _sending(flusher), "data_received": _short_way(manager, handling, shortcut)}
    methods = {name: method for name, method in methods.items() if method is not None}
    # A class for each server: what its lanes share is found without a look at them.
    return type("CompiledLane", (Lane,), {"__slots__": (), **methods}) if methods else Lane


def _sending(flusher: Flusher) -> Any | None:
    """Return the method ``write``, and let the flusher flush in C, too; None where that cannot be."""
    classes = {"lane": LaneWriter, "outgoing": Outgoing, "encoded": Encoded, "stats": Stats}
    methods = {"write": LaneWriter.write, "flush": LaneWriter.flush, "failed": failed}
    sending = make(WRITE, "Sending", lambda: {**classes, **methods, "flusher": flusher})
    if sending is not None:
        flusher.flush = sending.flush
    return sending


def _short_way(manager: ClusterManager, handling: Handling, shortcut: Shortcut) -> Any | None:
    """Return the method ``data_received`` of lanes that go the short way; None where that cannot be."""
    spares = handling.starter
    if not (shortcut.open and handling.stock and isinstance(spares, Spares)):
        return None
    return make(SHORT, "Way", lambda: _parts(manager, handling, spares))


def _parts(manager: ClusterManager, handling: Handling, spares: Spares) -> dict[str, Any]:
    """Return the objects that ``_short.c`` works with, by the names that it has for them."""
    host = manager.host
    classes = {"lane": Lane, "client": Client, "histogram": Histogram, "spare": Spare}
    tasks = {"spares": spares, "enter": _enter_task, "leave": _leave_task, "weakrefs": getweakrefcount}
    return {
        **classes,
        **tasks,
        **host.plain_handlers(),
        "loop": asyncio.get_running_loop(),
        "general": Lane.data_received,
        "go_on": handling.go_on,
        "decode": decode,
        "list_of": list_of,
        "longest": longest_frame(host.engine.max_http_buffer_size),
        "half_read": host.half_read,
        "running": manager.handlers.running,
        "connected": CONNECTED,
        "open": OPEN,
        "reserved": RESERVED | {"*"},
        "times": manager.stats.handler_seconds,
        "stats": manager.stats,
        "bounds": BOUNDS,
        "not_handled": host.server.not_handled,
    }
