"""Lets plain clients come back: what they say of themselves, and what they are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from socketio_cluster.cluster.plain.message import BadMessage, Message, check_claim
from socketio_cluster.manager.client_manager import ClusterManager
from socketio_cluster.manager.recovery.arrivals import Arrival

if TYPE_CHECKING:
    from socketio_cluster.cluster.plain.socket import PlainSocket


def announce(socket: PlainSocket, message: Message) -> None:
    """Note the claim in a client's connect event, before that is handled. Raises ``BadMessage``."""
    check_claim(message)
    if socket.recovery:
        socket.arrival = Arrival(True, message.token, message.id, socket.tell)
    elif message.token is not None:
        raise BadMessage("to come back, connect to the same address with ?recovery=1", message.ack)


def welcome(manager: ClusterManager, socket: PlainSocket, namespace: str, data: dict[str, Any]) -> Message:
    """Return the message that tells a client that it is connected.

    Args:
        manager: the manager of the clients.
        socket: the client's connection.
        namespace: of the client.
        data: what a Socket.IO client would be told.
    """
    if not socket.recovery:
        return Message(event="connect", args=(data,))
    client = manager.members.on_connection(socket.sid, namespace)
    session = client.session if client is not None else None
    if manager.recovery is None or session is None:
        return Message(event="connect", args=({"sid": data["sid"], "recovered": False},))
    told = {"sid": data["sid"], "token": session.pid, "recovered": session.recovered}
    return Message(event="connect", args=(told,), id=manager.recovery.place_of(session))


def end_session(manager: ClusterManager, socket: PlainSocket, namespace: str) -> None:
    """Note that a client has said goodbye: its session ends with its connection."""
    client = manager.members.on_connection(socket.sid, namespace)
    if client is not None and client.session is not None:
        client.session.over = True
