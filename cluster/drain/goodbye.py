"""The goodbye: a client gets all that waits for it, and its session ends so that it comes back by itself."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Final

from engineio import packet

from socketio_cluster.cluster.lane.queue import LaneQueue
from socketio_cluster.cluster.strict.gate import gate_of
from socketio_cluster.manager.client_manager import ClusterManager
from socketio_cluster.manager.host.server import Host
from socketio_cluster.manager.host.session import State, state_of

SERVICE_RESTART: Final = 1012
"""The WebSocket close code after which clients come back."""
FETCH_SECONDS: Final = 3.0
"""A polling client is gone when it fetches nothing for so many seconds while something waits for it."""
CHECK_SECONDS: Final = 0.02
UPGRADE_CHECKS: Final = 100
"""An upgrade takes two round trips. After so many checks, 2 s, the goodbye waits no longer."""


class Goodbye(packet.Packet):  # type: ignore[misc]
    """The CLOSE packet of polling clients, with NOOPs behind it.

    After a CLOSE alone python-engineio's client does not come back, because the server has told it to leave.
    It does come back after an answer that it refuses, and it refuses one of more than 16 packets. Other
    clients take the CLOSE and do not read the rest.
    """

    def __init__(self) -> None:
        super().__init__(packet.CLOSE)

    def encode(self, b64: bool = False) -> str:
        """Return the packets of one answer to a poll."""
        return "\x1e".join([str(packet.CLOSE), *16 * [str(packet.NOOP)]])


def present(socket: Any) -> bool:
    """Return whether this Engine.IO socket has a client that a goodbye can reach."""
    return state_of(socket) in (State.OPEN, State.UPGRADING)


async def say_goodbye(manager: ClusterManager, socket: Any, reason: str) -> None:
    """End a session; return when its client has fetched what waited for it, or does not fetch it in time.

    Handlers of its events that run come to their end first, so that what they emit reaches the client whole.

    Args:
        manager: the manager of the server.
        socket: python-engineio's socket.
        reason: the reason that disconnect handlers get.
    """
    host = manager.host
    await manager.handlers.ended(socket.sid)
    await manager.in_order()
    for _ in range(UPGRADE_CHECKS):
        if state_of(socket) is not State.UPGRADING:
            break
        await asyncio.sleep(CHECK_SECONDS)  # during an upgrade neither transport takes a goodbye
    if not present(socket):
        return
    if isinstance(socket.queue, LaneQueue):
        await socket.queue.lane.say_goodbye(reason)
    elif socket.upgraded:
        await host.close_with(socket, SERVICE_RESTART, "", reason)
    else:
        await _from_polling(host, socket, reason)


async def _from_polling(host: Host, socket: Any, reason: str) -> None:
    """Do what the socket's own ``close`` does, but wait until the client has fetched what waits for it."""
    socket.closing = True
    try:
        await host.end_of_session(socket.sid, reason)
        await _fetched(socket)
    finally:
        socket.queue.put_nowait(Goodbye())
        gate = gate_of(host)
        if gate is not None:
            gate.expect_late_posts(socket.sid)
        socket.closed = True
    await _fetched(socket)


async def _fetched(socket: Any) -> None:
    """Return when the client has fetched what waits, or has fetched nothing for FETCH_SECONDS."""
    before = socket.queue.qsize() + 1
    while 0 < socket.queue.qsize() < before:
        before = socket.queue.qsize()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(socket.queue.join(), FETCH_SECONDS)
