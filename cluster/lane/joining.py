"""Joins a client to the main namespace in one call, when no handler is called and nothing is waited for.

python-socketio and the manager do it in seven coroutines, for which a lane needs a task. When a handler has
to decide, or the bus has to be asked, that general way is taken; the client cannot see which it was.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from socketio_cluster.cluster.lane.frames import TEXT, frame
from socketio_cluster.manager.host.joining import Joinable
from socketio_cluster.manager.ids import new_sid

if TYPE_CHECKING:
    from socketio_cluster.cluster.lane.connection import Lane
    from socketio_cluster.manager.client_manager import ClusterManager

MAIN: Final = "/"
KNOWN: Final = frozenset(("lane",))
"""The layers before the function that sends a packet whose work is done here too."""


class Joining:
    """Joins the clients of one server, whose packets have the JSON format."""

    def __init__(self, manager: ClusterManager) -> None:
        self._manager = manager
        self._joinable = Joinable(manager.host, KNOWN)

    def join(self, lane: Lane) -> bool:
        """Join a client. Return False, with nothing done, when it has to go the general way."""
        manager, eio_sid = self._manager, lane.socket.sid
        node = manager.node
        waits = manager.recovery is not None or not node.subscribed_to(node.channels.namespace(MAIN))
        if waits or not self._joinable.at_once(MAIN):
            return False
        if manager.members.on_connection(eio_sid, MAIN) is not None:
            return False
        sid = new_sid(node.id)
        manager.basic_enter_room(sid, MAIN, None, eio_sid=eio_sid)
        manager.basic_enter_room(sid, MAIN, sid, eio_sid=eio_sid)
        lane.write_answer(frame(TEXT, f'40{{"sid":"{sid}"}}'.encode()))
        manager.members.clients[sid].connected(time.time())
        return True
