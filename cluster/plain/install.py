"""Lets a server send its packets to plain clients too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from socketio_cluster.cluster.plain.socket import PlainSocket


def install(server: Any) -> None:
    """Put a fork into the server's way out; once is enough, whatever the number of endpoints."""
    if not isinstance(getattr(server._send_packet, "__self__", None), _Fork):
        server._send_packet = _Fork(server.eio, server._send_packet).send


class _Fork:
    """Tells plain clients from the others."""

    def __init__(self, eio: Any, others: Callable[[str, Any], Awaitable[None]]) -> None:
        self._eio = eio
        self._others = others

    async def send(self, eio_sid: str, packet: Any) -> None:
        """Send a Socket.IO packet to a connection."""
        socket = self._eio.sockets.get(eio_sid)
        if isinstance(socket, PlainSocket):
            socket.packet(packet)
        else:
            await self._others(eio_sid, packet)
