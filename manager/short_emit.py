"""The way of most emits in C, ``native/_emit.c``, for the node of a ``ClusterManager``.

It is compiled where a C compiler is, see ``hatch_build.py``. Without it everything works the same, slower.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from socketio_cluster.manager.bus.backlog import Entry
from socketio_cluster.manager.bus.channels import Channels
from socketio_cluster.manager.bus.envelope import Header
from socketio_cluster.manager.bus.messages import Emit, Recorded
from socketio_cluster.manager.clients.backpressure import EMIT_BYTES, TURN_BYTES
from socketio_cluster.manager.clients.compact_json import dumps, quoted_pair
from socketio_cluster.manager.clients.delivery import delivery_parts
from socketio_cluster.manager.clients.fanout import Fanout
from socketio_cluster.manager.clients.packets import RESERVED, is_standard
from socketio_cluster.manager.native.library import EMIT, make
from socketio_cluster.manager.recovery.follower import Follower
from socketio_cluster.manager.recovery.own_events import MOST_BYTES, OVERHEAD, OwnEvents
from socketio_cluster.manager.recovery.recording import post_beside
from socketio_cluster.manager.recovery.routes import to_one
from socketio_cluster.manager.remote import Remote

if TYPE_CHECKING:
    from socketio_cluster.manager.emitting import EmittingMember

ShortEmit = Callable[[str, Any, str, Any], Any]
"""A function that gets an event, its data, its namespace, and a room or None.

It returns None, and has done nothing, for an emit that is not as most are. Otherwise it returns False if
nobody has to wait, and else the arguments of ``EmittingMember._ease``, or True where there is recovery.
"""


def short_emit(manager: EmittingMember) -> ShortEmit | None:
    """Return this function for a manager whose node is on its loop; None where that cannot be."""
    posting = _posting_parts(manager)
    if posting is None:
        return None
    return make(EMIT, "Emitting", lambda: {**posting, **_parts(manager)})


def _posting_parts(manager: EmittingMember) -> dict[str, Any] | None:
    """Return what publishes the events of a node; None for a node that does it in another way than most."""
    node, recovery = manager.node, manager.recovery
    plain = recovery is not None or (type(manager.fanout) is Fanout and type(manager.remote) is Remote)
    names = node.channels
    if not plain or type(names) is not Channels or not names.everyone.isascii():
        return None
    return node.posting_parts() if is_standard(manager.server.packet_class) else None


def _parts(manager: EmittingMember) -> dict[str, Any]:
    """Return the other objects that ``_emit.c`` works with, by the names that it has for them."""
    recovery, names = manager.recovery, manager.node.channels
    # Without recovery there are the classes in the place of what records events.
    recording = {"follower": Follower, "own_events": OwnEvents}
    return {
        **delivery_parts(manager.members, manager.stats),
        **(recording if recovery is None else recovery.follower.recording_parts()),
        "server": manager.server,
        "standard": manager.server.packet_class,
        "loop": asyncio.get_running_loop(),
        "backpressure": manager.backpressure,
        "channels": names,
        "beside": names.bridges_beside(names.everyone),
        "post_beside": partial(post_beside, manager.node),
        "room_prefix": names.rooms("").removesuffix(","),
        "route_to_one": to_one,
        "dumps": dumps,
        "quoted_pair": quoted_pair,
        "header": Header,
        "emit": Emit,
        "recorded": Recorded,
        "entry": Entry,
        "reserved": RESERVED,
        "turn_bytes": TURN_BYTES,
        "emit_bytes": EMIT_BYTES,
        "own_bytes": MOST_BYTES,
        "own_overhead": OVERHEAD,
    }
