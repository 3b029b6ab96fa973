"""The receipt of events in C, ``native/_hear.c``, for the node of a manager.

It is compiled where a C compiler is, see ``hatch_build.py``. Without it everything works the same, slower.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from socketio_cluster.manager.bus.messages import Emit, Recorded
from socketio_cluster.manager.bus.receiver import Receiver
from socketio_cluster.manager.clients.delivery import delivery_parts
from socketio_cluster.manager.native.library import HEAR, make

if TYPE_CHECKING:
    from socketio_cluster.manager.client_manager import ClusterManager


def hear_compiled(manager: ClusterManager) -> None:
    """Let a node hear events in C, where that can be.

    Without recovery it does what ``manager.heard`` does, so a class with another ``heard`` cannot have it.
    """
    for shard in manager.node.shards:
        ear = make(HEAR, "Ear", partial(_parts, manager, shard.receiver))
        if ear is not None:
            shard.receiver.arrived = ear  # type: ignore[method-assign]


def _parts(manager: ClusterManager, receiver: Receiver) -> dict[str, Any]:
    """Return the objects that ``_hear.c`` works with, by the names that it has for them."""
    recovery = manager.recovery
    return {
        **receiver.native_parts(Emit if recovery is None else Recorded),
        **delivery_parts(manager.members, manager.stats),
        **({} if recovery is None else recovery.follower.native_parts()),
        "emit": Emit,
    }
