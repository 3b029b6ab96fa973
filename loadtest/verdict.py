"""The verdict: what had to arrive, what did, and what arrived that should not have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import inf

from socketio_cluster.loadtest.ledger import Ledger
from socketio_cluster.loadtest.membership import Membership
from socketio_cluster.loadtest.receiver import Receiver
from socketio_cluster.loadtest.stream import Stream
from socketio_cluster.loadtest.track import Track

SETTLE = 2.0
"""Seconds a message may be on its way: around a join, a leave or a broken connection nothing is expected."""

SKEW = 0.0
"""Seconds by which the clocks of two generators may differ."""


@dataclass
class Verdict:
    """Counts of deliveries: one message to ten receivers is ten of them.

    `expected` = `delivered` + `lost`; what the other fields count is not expected.
    """

    expected: int = 0
    delivered: int = 0
    lost: int = 0
    duplicated: int = 0
    reordered: int = 0
    leaked: int = 0
    """Came to the sender who was to be skipped, or to somebody who was no member."""
    undecided: int = 0
    """Sent around a join, a leave or a broken connection, or never confirmed by the server."""
    missed_away: int = 0
    """Sent while the receiver's connection was broken."""
    foreign: int = 0
    """Of streams that are not of this run."""

    def as_dict(self) -> dict[str, int]:
        """The counts by name."""
        return asdict(self)


NOTHING = Track()


def judge(ledger: Ledger, *, settle: float = SETTLE, skew: float = SKEW) -> Verdict:
    """Compare what was sent with what came; the times of all parts must be on one clock."""
    verdict = Verdict()
    streams: dict[str, list[str]] = defaultdict(list)
    for src, stream in ledger.streams.items():
        streams[stream.target].append(src)
    for name, receiver in ledger.receivers.items():
        for target, stays in receiver.memberships.items():
            for src in streams[target]:
                stream = ledger.streams[src]
                if not (stream.skip and stream.owner == name):
                    _compare(verdict, stays, stream, receiver.tracks.get(src, NOTHING), settle, skew)
        _count_tracks(verdict, ledger, name, receiver, settle, skew)
    return verdict


def _compare(
    verdict: Verdict, stays: list[Membership], stream: Stream, track: Track, settle: float, skew: float
) -> None:
    for at, stay in enumerate(stays):
        first, last = stream.expected(stay.joined + skew, stay.leaving - settle)
        missing = _missing(track, first, last)
        open_ends = sum(1 for seq in stream.unconfirmed if first <= seq <= last and seq not in track)
        verdict.expected += _size(first, last) - open_ends
        verdict.delivered += _size(first, last) - missing
        verdict.lost += missing - open_ends
        around = _size(*stream.between(stay.asked, stay.left))
        verdict.undecided += around - _size(first, last) + open_ends
        if stay.lost:
            back = stays[at + 1].asked if at + 1 < len(stays) else inf
            verdict.missed_away += _missing(track, *stream.between(stay.left, back))


def _count_tracks(
    verdict: Verdict, ledger: Ledger, name: str, receiver: Receiver, settle: float, skew: float
) -> None:
    for src, track in receiver.tracks.items():
        stream = ledger.streams.get(src)
        if stream is None:
            verdict.foreign += track.total
            continue
        verdict.duplicated += track.duplicates
        verdict.reordered += track.reordered
        if stream.skip and stream.owner == name:
            verdict.leaked += track.total
            continue
        allowed = _allowed(receiver.memberships.get(stream.target, []), stream, settle + skew, skew)
        verdict.leaked += track.total - sum(track.count(*one) for one in allowed)


def _allowed(
    stays: list[Membership], stream: Stream, before: float, after: float
) -> Iterator[tuple[int, int]]:
    """Ranges that do not overlap, of what may come: also what was on its way at a join.

    A server may keep what it could not send to a client that is away, and send it on its return.
    """
    done = 0
    for stay in stays:
        first, last = stream.between(stay.asked - before, inf if stay.lost else stay.left + after)
        first = max(first, done + 1)
        if first <= last:
            yield first, last
            done = last


def _missing(track: Track, first: int, last: int) -> int:
    return _size(first, last) - track.count(first, last)


def _size(first: int, last: int) -> int:
    return max(0, last - first + 1)
