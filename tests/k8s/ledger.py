"""What clients were owed by the nodes, and what they got: both sides of the rollout's ledger.

Each word of a node in a room has a number. A session is owed those of its own node from its connect handler
to its disconnect handler, to the word: there is nothing between them. It is owed those of another node that
were said after its connect handler, and more than a second before its disconnect handler: until when a word
on the bus is in time cannot be seen from outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

BUS_SECONDS = 1.0


@dataclass
class Session:
    """A client from one connect to the next disconnect.

    `came` and `went` are the client's times; `since` and `until` are the server's, with the number of the
    last word of its own node, `first` and `last`. All are times of one wall clock. `why` is the answer that
    ended it, when one did.
    """

    client: int
    sid: str
    room: str
    heard: dict[str, list[int]]
    came: float
    transport: str
    went: float = inf
    reason: str | None = None
    why: str | None = None
    node: str | None = None
    since: float = inf
    first: int = 0
    until: float = inf
    last: int | None = None


class Ledger:
    """The report of ledger.js, and the node that was killed, if one was, with the time of the order.

    What was on its way through that node in its last second is not asked for: neither its own words, nor the
    words for the sessions that ended from then on, its own and those of others whose connection it passed on.
    """

    def __init__(self, report, killed=None, at=inf):
        self.killed, self.at = killed, at
        self.errors = report["errors"]
        self.said = {
            tuple(stream.rsplit(" ", 1)): {int(number): said for number, said in words.items()}
            for stream, words in report["said"].items()
        }
        self.sessions = [Session(**found) for found in report["sessions"]]
        by_sid = {session.sid: session for session in self.sessions}
        for entry in report["ledger"]:
            if session := by_sid.get(entry["sid"]):
                self._enter(session, entry)
        self.dead = min((session.went for session in self.sessions if session.went > at), default=inf)

    def _enter(self, session, entry):
        session.node = entry["node"]
        if entry["what"] == "came":
            session.since, session.first = entry["at"], entry["said"]
        elif session.went < self.at:
            session.until, session.last = entry["at"], entry["said"]

    def owed(self, session, node):
        """The numbers of a node's words that a session must have got."""
        words = self.said.get((session.room, node), {})
        end = session.until - BUS_SECONDS
        if session.went > self.at:
            end = session.went - BUS_SECONDS
        if node == self.killed:
            end = min(end, self.dead - BUS_SECONDS)
        if node == session.node and session.last is not None:
            return set(range(session.first + 1, session.last + 1))
        return {number for number, said in words.items() if session.since < said < end}

    def lost(self):
        """The words that somebody was owed or that are missing between others: (session, node, numbers)."""
        for session in self.sessions:
            for node in {node for room, node in self.said if room == session.room}:
                heard = set(session.heard.get(node, ()))
                holes = set(range(min(heard), max(heard))) if heard else set()
                if missing := (self.owed(session, node) | holes) - heard:
                    yield session, node, sorted(missing)

    def doubled(self):
        """The words that somebody got twice."""
        for session in self.sessions:
            for node, heard in session.heard.items():
                if len(heard) > len(set(heard)):
                    yield session, node, sorted(number for number in set(heard) if heard.count(number) > 1)

    def unwritten(self):
        """Sessions whose connect or disconnect handler left no word, though nobody killed their node."""
        for session in self.sessions:
            if session.since == inf or (session.went < self.at and session.last is None):
                yield session

    def outages(self):
        """For each disconnect the seconds until the next connect, infinite when none came.

        Those of a kill are counted from the moment when the first client noticed it.
        """
        before = {}
        for session in self.sessions:
            if session.client in before:
                yield session.came - before.pop(session.client)
            if session.went < inf:
                before[session.client] = min(session.went, self.dead)
        yield from len(before) * [inf]
