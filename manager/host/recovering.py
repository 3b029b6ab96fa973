"""What connection state recovery changes of a python-socketio server: CONNECT answers and saved sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from socketio_cluster.manager.checks import plain_namespace
from socketio_cluster.manager.host.server import Host
from socketio_cluster.manager.host.slot import replace

if TYPE_CHECKING:
    from socketio_cluster.manager.client_manager import ClusterManager


def install_recovery(host: Host, manager: ClusterManager) -> None:
    """Put recovery into a server."""

    def before_packet(eio_sid: str, packet: Any) -> None:
        if manager.recovery is not None:
            manager.recovery.introduce(packet, eio_sid)

    async def save_session(sid: str, session: Any, namespace: str | None = None) -> None:
        namespace = plain_namespace(namespace)
        client = manager.members.find(sid, namespace)
        recovery = manager.recovery
        gone = recovery if client is None else None
        if gone is not None and await gone.sessions.save_away(sid, namespace, session):
            return
        await save(sid, session, namespace)
        if client is not None and recovery is not None:
            await recovery.sessions.saved(client, session)

    host.packet.watch = before_packet
    save = replace(host.server, "save_session", save_session)
