"""``Sessions``: the sessions of a cluster's clients, for as long as they are connected or may come back.

This is what the local hub keeps in memory; in Redis scripts keep the same. Times are in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from hmac import compare_digest

from socketio_cluster.manager.bus.stamp import Stamp
from socketio_cluster.manager.bus.stays import Stay, Stays
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
from socketio_cluster.manager.recovery.closed_rooms import ClosedRooms


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
    stays: Stays
    written: int
    tried: tuple[int, int] = (0, 0)


class Sessions:
    """The sessions by sid. ``now`` is any clock that does not go back, ``place`` that of the history."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._closed = ClosedRooms()

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
            new.stays,
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
        closed = {room: self._closed_at(session, room, claim.channels) for room in session.rooms}
        ended = [Stay(room, session.rooms[room], left) for room, left in closed.items() if left]
        stays = session.stays.plus(ended, max(session.position, place.floor))
        if position < max(place.floor, stays.floor):
            return "late"
        session.stays = stays
        for stay in ended:
            del session.rooms[stay.room]
        rooms = dict(session.rooms)
        found = Claimed(session.node, position, rooms, session.data, place, stays, session.tried)
        session.node, session.claim, session.until = claim.node, claim.claim, now + claim.seconds
        return found

    def change(self, change: Change, place: Place, now: float) -> int:
        """Change a session's rooms and data. Returns the last number, or 0 if nothing was changed."""
        session = self._owned(change.sid, change.claim, now, change.gone)
        if session is None:
            return 0
        if not change.claim:
            session.node = session.claim = ""
        ended = change.stays if change.claim else self._ended(session, change, place)
        session.stays = session.stays.plus(ended, max(session.position, place.floor))
        for room in (*(stay.room for stay in ended), *change.left):
            session.rooms.pop(room, None)
        for room in change.entered:
            if change.claim or room not in session.rooms:
                session.rooms[room] = place.last
        if change.data is not None:
            session.data = change.data
        if change.tried is not None:
            session.tried = change.tried
        return place.last

    def _ended(self, session: Session, change: Change, place: Place) -> list[Stay]:
        """Return the stays that end by a change of a session whose client is away."""
        ended = []
        for room in {*change.entered, *change.left} & session.rooms.keys():
            left = self._closed_at(session, room, change.channels)
            if left or room in change.left:
                ended.append(Stay(room, session.rooms[room], left or place.last))
        return ended

    def renew(self, renew: Renew, place: Place, now: float) -> list[str]:
        """Let sessions live on. Returns the sids of those that are not there or not theirs."""
        missing = []
        for sid, claim, position in renew.sessions:
            session = self._owned(sid, claim, now)
            if session is None:
                missing.append(sid)
            else:
                session.until = now + renew.seconds
                session.position = max(session.position, position)
                session.stays = session.stays.plus((), max(session.position, place.floor))
        return missing

    def release(self, release: Release, now: float) -> bool:
        """Note that a client is away, or is gone."""
        session = self._owned(release.sid, release.claim, now, release.gone)
        if session is None:
            return False
        if release.seconds:
            session.node, session.claim, session.until = "", "", now + release.seconds
        else:
            del self._sessions[release.sid]
        return True

    def close(self, close: CloseRoom, place: Place, until: float) -> bool:
        """Note that a room was closed at the last number. That is known until then."""
        self._closed.close(close.channel, place.last, place.floor, until)
        return True

    def where(self, where: Where, now: float) -> str | None:
        """Return the owner of a session."""
        session = self._find(where.sid, now)
        return session.node if session is not None and session.namespace == where.namespace else None

    def expire(self, now: float) -> None:
        """Drop the sessions whose time is over."""
        for sid in [sid for sid, session in self._sessions.items() if session.until <= now]:
            del self._sessions[sid]
        self._closed.expire(now)

    def _closed_at(self, session: Session, room: str, channels: str) -> int:
        """Return the number at which a room was closed since a session has entered it, or 0."""
        return self._closed.closed_at(channels + room, max(session.rooms[room], session.written))

    def _find(self, sid: str, now: float) -> Session | None:
        session = self._sessions.get(sid)
        return session if session is not None and session.until > now else None

    def _owned(self, sid: str, claim: str, now: float, gone: str = "") -> Session | None:
        session = self._find(sid, now)
        if session is None or (session.claim != claim and session.node != (gone or None)):
            return None
        return session


def _is_of(offset: Stamp, place: Place) -> bool:
    """Whether a history can have given an offset."""
    return offset.epoch == place.epoch and offset.number <= place.last
