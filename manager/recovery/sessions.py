"""``Sessions``: the sessions of a cluster's clients, for as long as they are connected or may come back.

This is what the local hub keeps in memory; in Redis scripts keep the same. Times are in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from hmac import compare_digest

from socketio_cluster.manager.bus.stamp import Stamp
from socketio_cluster.manager.bus.store import (
    Change,
    Claim,
    Claimed,
    CloseRoom,
    Open,
    Place,
    Release,
    Renew,
    Where,
)


@dataclass(slots=True)
class Session:
    """One client in one namespace. ``store.py`` says what the fields mean.

    ``written`` is the last event at the time at which its owner wrote all of it.
    """

    secret: str
    namespace: str
    node: str
    claim: str
    until: float
    position: int
    rooms: dict[str, int]
    data: bytes
    written: int


class Sessions:
    """The sessions by sid. ``now`` is any clock that does not go back, ``place`` that of the history."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._closed: dict[str, tuple[int, float]] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def open(self, new: Open, place: Place, now: float) -> Place:
        """Make a session."""
        self._sessions[new.sid] = Session(
            new.secret,
            new.namespace,
            new.node,
            new.claim,
            now + new.seconds,
            new.position or place.last,
            dict(new.rooms),
            new.data,
            place.last,
        )
        return place

    def claim(self, claim: Claim, place: Place, now: float) -> Claimed | str:
        """Give a session to another owner, or return why not."""
        session = self._find(claim.sid, now)
        if session is None or session.namespace != claim.namespace:
            return "unknown"
        if not compare_digest(session.secret, claim.secret):
            return "unknown"
        # First, so that a wrong offset costs nobody the session.
        if claim.offset is not None and not _is_of(claim.offset, place):
            return "epoch"
        position = max(session.position, claim.offset.number if claim.offset is not None else 0)
        if position < place.floor:
            return "late"
        for room in list(session.rooms):
            if not self._is_in(session, room, claim.channels):
                del session.rooms[room]
        found = Claimed(session.node, position, dict(session.rooms), session.data, place)
        session.node, session.claim, session.until = claim.node, claim.claim, now + claim.seconds
        return found

    def change(self, change: Change, place: Place, now: float) -> bool:
        """Change the rooms and the data of a session."""
        session = self._owned(change.sid, change.claim, now)
        if session is None:
            return False
        for room in change.entered:
            if change.claim or not self._is_in(session, room, change.channels):
                session.rooms[room] = place.last
        for room in change.left:
            session.rooms.pop(room, None)
        if change.data is not None:
            session.data = change.data
        return True

    def renew(self, renew: Renew, now: float) -> list[str]:
        """Let sessions live on. Returns the sids of those that are not there or not theirs."""
        missing = []
        for sid, claim, position in renew.sessions:
            session = self._owned(sid, claim, now)
            if session is None:
                missing.append(sid)
            else:
                session.until = now + renew.seconds
                session.position = max(session.position, position)
        return missing

    def release(self, release: Release, now: float) -> bool:
        """Note that a client is away, or is gone."""
        session = self._owned(release.sid, release.claim, now)
        if session is None:
            return False
        if release.seconds:
            session.node, session.claim, session.until = "", "", now + release.seconds
        else:
            del self._sessions[release.sid]
        return True

    def close(self, close: CloseRoom, number: int, until: float) -> bool:
        """Note that a room was closed at this number. That is known until then."""
        self._closed[close.channel] = number, until
        return True

    def where(self, where: Where, now: float) -> str | None:
        """Return the owner of a session."""
        session = self._find(where.sid, now)
        return session.node if session is not None and session.namespace == where.namespace else None

    def expire(self, now: float) -> None:
        """Drop the sessions whose time is over."""
        for sid in [sid for sid, session in self._sessions.items() if session.until <= now]:
            del self._sessions[sid]
        for channel in [channel for channel, (_, until) in self._closed.items() if until <= now]:
            del self._closed[channel]

    def _is_in(self, session: Session, room: str, channels: str) -> bool:
        """Whether a client has entered a room which was not closed since."""
        joined, closed = session.rooms.get(room), self._closed.get(channels + room, (0, 0.0))[0]
        return joined is not None and max(joined, session.written) >= closed

    def _find(self, sid: str, now: float) -> Session | None:
        session = self._sessions.get(sid)
        return session if session is not None and session.until > now else None

    def _owned(self, sid: str, claim: str, now: float) -> Session | None:
        session = self._find(sid, now)
        return session if session is not None and session.claim == claim else None


def _is_of(offset: Stamp, place: Place) -> bool:
    """Whether a history can have given an offset."""
    return offset.epoch == place.epoch and offset.number <= place.last
