"""Finds out when a new subscription is known to all servers of a NATS cluster.

A server confirms a subscription before the other servers know of it. But what one server sends to another
stays in order. So a *probe* that follows the subscriptions, and is answered by a node at another server, says
that this server knows them. All nodes at one server form a queue group, of which one member gets each probe:
a probe costs two messages for each server, however many nodes there are.

The servers to wait for are those at which nodes are. Each node names its server when it comes, and in each
answer. A server that does not answer within a second has no node any more, or cannot be reached.

This is pure book-keeping.
"""

from __future__ import annotations

import re
from itertools import count
from typing import Final, NamedTuple

TRIES: Final = 4
TRY_SECONDS: Final = 0.25
"""A probe may go to a node that stands still, so it is sent again: the server chooses a member by chance."""
LEARN_SECONDS: Final = 0.2
"""How long a node that comes to a cluster of servers waits for the first answers."""
MOST: Final = 256
"""The most servers that are waited for, so that whoever writes rubbish to the bus cannot fill the memory."""
NAME: Final = re.compile(r"\w{1,64}", re.ASCII)
"""The form of the ids of servers and connections. Anything else might be commands for the server."""


class Subjects(NamedTuple):
    """The subjects of one cluster of nodes that carry servers' names, probes and answers."""

    here: str
    probe: str
    answers: str

    def echo(self, me: str) -> str:
        """Return the subject of the answers for one connection."""
        return f"{self.answers}.{me}"


class Routes:
    """The other servers, and the probes that wait for them.

    Args:
        server: the id of this node's server.
        root: the first token of the subjects.
        me: an id for this connection.
    """

    def __init__(self, server: str, root: str, me: str) -> None:
        self.server = server
        self.subjects = Subjects(f"{root}.server", f"{root}.probe", f"{root}.echo")
        self._me = me
        self.others: set[str] = set()
        self._numbers = count(1)
        self._missing: dict[int, set[str]] = {}

    def heard(self, server: str) -> None:
        """Note that a node is at this server."""
        if server != self.server and len(self.others) < MOST and NAME.fullmatch(server):
            self.others.add(server)

    def start(self) -> int:
        """Start a probe. Returns its number."""
        number = next(self._numbers)
        self._missing[number] = set(self.others)
        return number

    def question(self, number: int) -> bytes:
        """Return the payload of a probe."""
        return f"{self._me} {number}".encode()

    def answer(self, question: bytes) -> tuple[str, bytes] | None:
        """Return the subject and the payload of the answer to a probe, or None for a malformed one."""
        asker, _, number = question.decode(errors="replace").partition(" ")
        if not NAME.fullmatch(asker) or not NAME.fullmatch(number):
            return None
        return self.subjects.echo(asker), f"{number} {self.server}".encode()

    def answered(self, answer: bytes) -> None:
        """Note an answer."""
        number, _, server = answer.decode(errors="replace").partition(" ")
        if number.isdecimal() and NAME.fullmatch(number):
            self.heard(server)
            self._missing.get(int(number), set()).discard(server)

    def missing(self, number: int) -> bool:
        """Whether some server has not answered this probe."""
        return bool(self._missing[number])

    def finish(self, number: int) -> set[str]:
        """End a probe. Returns the servers that have not answered. No other probe waits for them any more."""
        silent = self._missing.pop(number)
        self.others -= silent
        for missing in self._missing.values():
            missing -= silent
        return silent
