"""Lets a server send its packets to plain clients too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from socketio_cluster.cluster.plain.socket import PlainSocket
from socketio_cluster.manager.host.server import Host

NAME: Final = "plain"


def send_to_plain_clients(host: Host) -> None:
    """Stand before the server's packets, once, whatever the number of endpoints."""
    if NAME in host.packet.layers:
        return

    def before(send: Callable[[str, Any], Awaitable[None]]) -> Callable[[str, Any], Awaitable[None]]:
        async def send_packet(eio_sid: str, packet: Any) -> None:
            socket = host.engine.sockets.get(eio_sid)
            if isinstance(socket, PlainSocket):
                socket.packet(packet)
            else:
                await send(eio_sid, packet)

        return send_packet

    host.packet.put(NAME, before)
