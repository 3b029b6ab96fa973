"""Questions to the nodes of the cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from socketio_cluster.manager.bus.query_messages import (
    Finding,
    Listing,
    Query,
    Question,
    Recipients,
    Want,
)
from socketio_cluster.manager.queries.open_question import OpenQuestion
from socketio_cluster.manager.queries.polls import Polls
from socketio_cluster.manager.queries.replies import NO_ANSWER, Replies

if TYPE_CHECKING:
    from socketio_cluster.manager.bus.node import Node


class Queries:
    """Asks nodes. This node is asked like the others, but without the bus.

    Args:
        node: the node of this process.
        replies: gives this node's answers; None for a process that serves no clients.
    """

    def __init__(self, node: Node, replies: Replies | None) -> None:
        self._node = node
        self._replies = replies
        self._polls = Polls()

    def __len__(self) -> int:
        """Return how many questions wait for answers."""
        return len(self._polls)

    def myself(self) -> list[str]:
        """Return the id of this node, if it serves clients."""
        return [self._node.id] if self._replies is not None else []

    def others(self) -> list[str]:
        """Return the ids of all other live nodes."""
        return [node for node in self._node.nodes if node != self._node.id]

    def everybody(self) -> list[str]:
        """Return the ids of all live nodes."""
        return self.myself() + self.others()

    @contextmanager
    def open(
        self,
        nodes: Iterable[str],
        whom: Recipients,
        question: Question,
        timeout: float | None = None,
        patience: float = 0,
    ) -> Iterator[OpenQuestion]:
        """Ask nodes. The question is open until the context is left.

        ``timeout`` is in seconds, None is ``request_seconds``; ``patience`` is that of ``OpenQuestion``.
        Raises ``EventTooLarge`` for a question that no bus carries.
        """
        seconds = self._node.options.request_seconds if timeout is None else timeout
        asked = OpenQuestion(nodes, seconds, patience, lambda node: self._want(node, number, 1))
        poll = asked.poll
        number = self._polls.open(poll)
        try:
            self._send(poll.missing, Query(number, whom, question))
            yield asked
        finally:
            self._polls.close(number)
            if isinstance(question, Listing):
                for node in poll.missing:
                    self._want(node, number, 0)

    def tell(self, whom: Recipients, question: Question) -> int:
        """Ask all other nodes, known or not, and want no answer.

        Returns the number of the envelope, or 0 without a bus. Raises ``EventTooLarge``.
        """
        return self._node.post(Query(NO_ANSWER, whom, question), self._node.channels.everyone)

    def said(self, origin: str, finding: Finding) -> None:
        """Note a piece of another node's answer."""
        items = [bytes(item) for item in finding.items]
        self._polls.said(finding.request, origin, items, finding.error, last=finding.last)

    def node_gone(self, node: str) -> None:
        """Wait no more for a node that is gone."""
        self._polls.node_gone(node)

    def _send(self, nodes: set[str], query: Query) -> int:
        me, node = self._node.id, self._node
        others = [each for each in nodes if each != me]
        number = node.post(query, *map(node.channels.inbox, others)) if others else 0
        if self._replies is not None and me in nodes:

            def take(items: list[bytes], error: str, *, last: bool) -> None:
                self._polls.said(query.request, me, items, error, last=last)

            self._replies.begin(me, query, take)
        return number

    def _want(self, node: str, number: int, pieces: int) -> None:
        if node != self._node.id:
            self._node.post(Want(number, pieces), self._node.channels.inbox(node))
        elif self._replies is not None:
            self._replies.wanted(node, Want(number, pieces))
