"""Questions to the nodes of the cluster, and this node's answers to those of others."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from socketio_cluster.manager.bus.messages import Finding, Query, Question, Recipients
from socketio_cluster.manager.errors import EventTooLarge
from socketio_cluster.manager.queries.answering import Answering, Failed
from socketio_cluster.manager.queries.polls import Poll, Polls
from socketio_cluster.manager.tasks import set_once

if TYPE_CHECKING:
    from socketio_cluster.manager.member import ClusterMember

logger = logging.getLogger("socketio_cluster.manager")


class Result(NamedTuple):
    """What the nodes have said: packed items, the nodes that have not finished in time, and failures."""

    items: list[bytes]
    missing: frozenset[str]
    failures: dict[str, str]
    seconds: float


class Queries:
    """Asks, and answers. This node is asked like the others, but for the bus."""

    def __init__(self, manager: ClusterMember) -> None:
        self._manager = manager
        self._answering = Answering(manager)
        self._polls = Polls()

    def __len__(self) -> int:
        """How many questions wait for answers."""
        return len(self._polls)

    def nodes(self, *, local: bool = False) -> list[str]:
        """Who is to be asked: this node, and without ``local`` every other live one."""
        me = self._manager.node_id
        return [me] if local else [me, *(node for node in self._manager.node.nodes if node != me)]

    async def ask(
        self, nodes: Iterable[str], whom: Recipients, question: Question, timeout: float | None = None
    ) -> Result:
        """Ask nodes and wait until all have answered or are gone, for at most ``timeout`` seconds.

        None is ``request_seconds``. Raises ``ValueError`` for a timeout that cannot be, ``EventTooLarge`` for
        a question that no bus carries.
        """
        seconds = self._manager.options.request_seconds if timeout is None else timeout
        if not seconds > 0:
            raise ValueError(f"timeout must be more than 0 seconds, not {timeout}")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        poll = Poll(nodes, partial(set_once, done, None))
        number = self._polls.open(poll)
        try:
            self._send(number, poll.missing, Query(number, whom, question))
            if poll.missing:
                await asyncio.wait([done], timeout=seconds)
        finally:
            self._polls.close(number)
        return Result(poll.items, frozenset(poll.missing), poll.failures, seconds)

    def asked(self, origin: str, query: Query) -> None:
        """Answer another node."""
        self._manager.spawn(self._answer_other(origin, query))

    def said(self, origin: str, finding: Finding) -> None:
        """Take a piece of another node's answer."""
        items = [bytes(item) for item in finding.items]
        self._polls.said(finding.request, origin, items, finding.error, last=finding.last)

    def node_gone(self, node: str) -> None:
        """Wait for a node no more."""
        self._polls.node_gone(node)

    def _send(self, number: int, nodes: Iterable[str], query: Query) -> None:
        me, node = self._manager.node_id, self._manager.node
        others = [each for each in nodes if each != me]
        if others:
            node.post(query, *map(node.channels.inbox, others))
        if me in nodes:
            self._manager.spawn(self._answer_myself(number, query))

    async def _answer_myself(self, number: int, query: Query) -> None:
        me, error = self._manager.node_id, ""
        try:
            async for piece in self._answering.answer(query.recipients, query.question):
                self._polls.said(number, me, piece, "", last=False)
                await asyncio.sleep(0)
        except Exception as exc:
            error = _reason(exc)
        self._polls.said(number, me, [], error, last=True)

    async def _answer_other(self, origin: str, query: Query) -> None:
        node, error = self._manager.node, ""
        inbox = node.channels.inbox(origin)
        try:
            async for piece in self._answering.answer(query.recipients, query.question):
                node.post(Finding(query.request, [msgspec.Raw(item) for item in piece], last=False), inbox)
                await asyncio.sleep(0)
                await node.publisher.wait_for_capacity()
        except Exception as exc:
            error = _reason(exc)
        node.post(Finding(query.request, [], last=True, error=error), inbox)


def _reason(exc: Exception) -> str:
    """What the one who asked is told of an error."""
    if not isinstance(exc, Failed | EventTooLarge):
        logger.error("a question could not be answered", exc_info=exc)
    return f"{type(exc).__name__}: {exc}" if not isinstance(exc, Failed) else str(exc)
