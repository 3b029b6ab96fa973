"""A receiver: a user's memberships, and the tracks of what came to it."""

from __future__ import annotations

from math import inf
from typing import Any

from socketio_cluster.loadtest.membership import Membership
from socketio_cluster.loadtest.track import Track


class Receiver:
    """What one user may expect and what it got, over all its connections."""

    def __init__(self) -> None:
        self.memberships: dict[str, list[Membership]] = {}
        self.tracks: dict[str, Track] = {}

    def ask(self, target: str, now: float) -> None:
        """A join is on its way to the server."""
        self.memberships.setdefault(target, []).append(Membership(now))

    def join(self, target: str, now: float) -> None:
        """The server has answered the join."""
        self.memberships[target][-1].joined = now

    def is_in(self, target: str) -> bool:
        """Whether the server has answered a join, and the client has not left since."""
        stays = self.memberships.get(target, [])
        return bool(stays) and stays[-1].joined < inf and stays[-1].left == inf

    def leave(self, target: str, now: float) -> None:
        """The client is about to leave, or stops to read."""
        stay = self.memberships[target][-1]
        stay.leaving = min(stay.leaving, now)

    def left(self, target: str, now: float) -> None:
        """The server has answered that it left."""
        stay = self.memberships[target][-1]
        stay.left = min(stay.left, now)

    def pause(self, now: float) -> None:
        """Note that the client stops reading. It stays a member, but nothing is expected any more."""
        for target in self.memberships:
            self.leave(target, now)

    def close(self, heard: float, now: float, *, lost: bool) -> None:
        """Note that the connection is over. It was last heard of at `heard`; the end was noticed `now`."""
        for stays in self.memberships.values():
            stay = stays[-1]
            if stay.left > now:
                stay.leaving, stay.left, stay.lost = min(stay.leaving, heard), now, lost

    def arrive(self, src: str, seq: int) -> None:
        """A message of this stream came."""
        track = self.tracks.get(src)
        if track is None:
            track = self.tracks[src] = Track()
        track.arrive(seq)

    def dump(self) -> list[Any]:
        """Plain lists for the wire between workers."""
        stays = {target: [stay.dump() for stay in stays] for target, stays in self.memberships.items()}
        return [stays, {src: track.dump() for src, track in self.tracks.items()}]

    @classmethod
    def load(cls, dump: list[Any]) -> Receiver:
        """Make a receiver of what `dump` gave."""
        receiver = cls()
        receiver.memberships = {
            target: [Membership(*stay) for stay in stays] for target, stays in dump[0].items()
        }
        receiver.tracks = {src: Track.load(track) for src, track in dump[1].items()}
        return receiver
