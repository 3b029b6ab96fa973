"""Letting one client go: it gets all that waits for it, and a goodbye after which it comes back by itself."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Final

from engineio import packet

from socketio_cluster.cluster.lane.connection import LaneQueue
from socketio_cluster.cluster.strict.gate import gate_of
from socketio_cluster.manager.host.server import Host
from socketio_cluster.manager.host.session import State, state_of

SERVICE_RESTART: Final = 1012
"""The WebSocket close code after which clients are to come back."""
FETCH_SECONDS: Final = 3.0
"""How long a polling client may fetch nothing while something waits; one that is there asks at once."""
LOOK: Final = 0.02
UPGRADE_LOOKS: Final = 100
"""An upgrade takes two round trips; one that is not through after 2 s is not waited for."""


class Goodbye(packet.Packet):  # type: ignore[misc]
    """The CLOSE packet of polling clients, with NOOPs behind it.

    After a CLOSE python-engineio's client stays away for good: it takes that for the server's will. It
    comes back from an answer it cannot take, which one of more than 16 packets is. The others take the
    CLOSE and do not look at the rest.
    """

    def __init__(self) -> None:
        super().__init__(packet.CLOSE)

    def encode(self, b64: bool = False) -> str:
        """The packets of one answer to a poll."""
        return "\x1e".join([str(packet.CLOSE), *16 * [str(packet.NOOP)]])


def present(socket: Any) -> bool:
    """Whether this Engine.IO socket has a client that can be let go."""
    return state_of(socket) in (State.OPEN, State.UPGRADING)


async def say_goodbye(host: Host, socket: Any, reason: str) -> None:
    """End a session; returns when its client has what waited for it, or can no longer be waited for.

    Args:
        host: the server.
        socket: python-engineio's socket.
        reason: what the disconnect handlers are told.
    """
    for _ in range(UPGRADE_LOOKS):
        if state_of(socket) is not State.UPGRADING:
            break
        await asyncio.sleep(LOOK)  # in the middle of an upgrade neither transport takes a goodbye
    if not present(socket):
        return
    if isinstance(socket.queue, LaneQueue):
        await socket.queue.lane.say_goodbye(reason)
    elif socket.upgraded:
        await host.close_with(socket, SERVICE_RESTART, "", reason)
    else:
        await _from_polling(host, socket, reason)


async def _from_polling(host: Host, socket: Any, reason: str) -> None:
    """As the socket's own ``close``, which does not wait for what the next polls would have fetched."""
    socket.closing = True
    try:
        await host.end_of_session(socket.sid, reason)
        await _fetched(socket)
    finally:
        socket.queue.put_nowait(Goodbye())
        gate = gate_of(host)
        if gate is not None:
            gate.part_with(socket.sid)
        socket.closed = True
    await _fetched(socket)


async def _fetched(socket: Any) -> None:
    """Return when the client has fetched what waits, or none of it for a while."""
    before = socket.queue.qsize() + 1
    while 0 < socket.queue.qsize() < before:
        before = socket.queue.qsize()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(socket.queue.join(), FETCH_SECONDS)
