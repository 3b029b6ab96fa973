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
class KnownSession:
    """The session in one namespace.

    ``ours`` tells that a node of a cluster has made it: then every event without an ack has an offset of that
    form. Node.js has other forms. ``claimed`` tells that CONNECT was sent and not answered yet. ``over``
    tells that the client has said goodbye. Events may still come.
    """

    pid: str
    ours: bool
    offset: str | None = None
    recovered: bool = False
    claimed: bool = False
    over: bool = False


class ClientSessions:
    """The sessions of one client, by namespace. This is pure book-keeping."""

    def __init__(self) -> None:
        self._sessions: dict[str, KnownSession] = {}
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
        if pkt.packet_type == packet.CONNECT:
            if url != self._url:
                self._url = url
                self._sessions.clear()
            pkt.data = self._claim(pkt.namespace or "/", pkt.data)
        elif pkt.packet_type == packet.DISCONNECT and (pkt.namespace or "/") in self._sessions:
            self._sessions[pkt.namespace or "/"].over = True

    def _claim(self, namespace: str, auth: Any) -> Any:
        session = self._sessions.get(namespace)
        if session is None or session.over or not isinstance(auth, dict | None):
            return auth
        session.claimed = True
        offset = {"offset": session.offset} if session.offset is not None else {}
        return {"pid": session.pid, **offset, **(auth or {})}

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
            self._sessions[namespace] = KnownSession(pid, isinstance(sid, str) and pid.startswith(sid))

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
