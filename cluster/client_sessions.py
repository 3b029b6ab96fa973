"""``ClientSessions``: what a client knows of its sessions, so that it has them again when it comes back.

The wire is that of the official JavaScript client. The answer to CONNECT has a ``pid``, the private id of the
session. Each event without an ack ends in a text, the offset. The next CONNECT has both beside the
application's ``auth``, and the session is recovered if its answer has the same pid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from socketio import packet

from socketio_cluster.manager.recovery.offset import read_offset


@dataclass(slots=True)
class ClientSession:
    """The session in one namespace.

    ``ours`` tells that a node of a cluster has made it: then every event without an ack has an offset of that
    form. Node.js has other forms. ``claimed`` tells that CONNECT was sent and not answered yet.
    """

    pid: str
    ours: bool
    offset: str | None = None
    recovered: bool = False
    claimed: bool = False


class ClientSessions:
    """The sessions of one client, by namespace. This is pure book-keeping."""

    def __init__(self) -> None:
        self._sessions: dict[str, ClientSession] = {}
        self._url: object = None

    def recovered(self, namespace: str) -> bool:
        """Whether the client has its former session in a namespace, or had when it was connected last."""
        session = self._sessions.get(namespace)
        return session is not None and session.recovered

    def sending(self, url: object, pkt: Any) -> None:
        """Look at a packet for the server; CONNECT gets what claims the session.

        Args:
            url: what the application has connected to. Sessions are known to nobody else.
            pkt: the packet, which this may change.
        """
        namespace = pkt.namespace or "/"
        if pkt.packet_type == packet.DISCONNECT:
            self._sessions.pop(namespace, None)
        elif pkt.packet_type == packet.CONNECT:
            if url != self._url:
                self._url = url
                self._sessions.clear()
            session = self._sessions.get(namespace)
            if session is not None and isinstance(pkt.data, dict | None):
                session.claimed = True
                offset = {"offset": session.offset} if session.offset is not None else {}
                pkt.data = {"pid": session.pid, **offset, **(pkt.data or {})}

    def answered(self, namespace: str, answer: Any) -> None:
        """Note the answer to CONNECT."""
        answer = answer if isinstance(answer, dict) else {}
        pid, sid = answer.get("pid"), answer.get("sid")
        former = self._sessions.pop(namespace, None)
        if not isinstance(pid, str):
            return
        if former is not None and former.pid == pid:
            former.recovered, former.claimed = True, False
            self._sessions[namespace] = former
        else:
            self._sessions[namespace] = ClientSession(pid, isinstance(sid, str) and pid.startswith(sid))

    def take(self, namespace: str, ack_id: int | None, data: list[Any]) -> list[Any]:
        """Return an event as it was emitted, and keep its offset.

        Args:
            namespace: of the event.
            ack_id: the number of an event that wants an answer; such an event has no offset.
            data: the name and the arguments.
        """
        session = self._sessions.get(namespace)
        if session is None or ack_id is not None or len(data) < 2 or not isinstance(data[-1], str):
            return data
        # Before the answer to CONNECT only Node.js sends events, those that were missed.
        if session.ours and (session.claimed or read_offset(data[-1]) is None):
            return data
        session.offset = data[-1]
        return data[:-1]
