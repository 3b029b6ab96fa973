"""Questions to the nodes of the cluster, and this node's answers to those of others."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING

import msgspec

from socketio_cluster.manager.bus.query import Finding, Query, Question, Recipients
from socketio_cluster.manager.errors import EventTooLarge
from socketio_cluster.manager.queries.answering import Answering
from socketio_cluster.manager.queries.failed import Failed
from socketio_cluster.manager.queries.polls import Poll, Polls

if TYPE_CHECKING:
    from socketio_cluster.manager.member import ClusterMember

logger = logging.getLogger("socketio_cluster.manager")

NO_ANSWER = 0
"""The number of a query that is not to be answered."""


class OpenQuestion:
    """A question that was sent, for the task that waits for the answers; ``seconds`` is for how long."""

    def __init__(self, nodes: Iterable[str], seconds: float) -> None:
        self._news = asyncio.Event()
        self.seconds = seconds
        self._deadline = asyncio.get_running_loop().time() + seconds
        self.poll = Poll(nodes, self._news.set)

    async def news(self) -> bool:
        """Wait for the next piece; False when all have answered or are gone, or the time is over."""
        if not self._news.is_set():
            if not self.poll.missing:
                return False
            try:
                async with asyncio.timeout_at(self._deadline):
                    await self._news.wait()
            except TimeoutError:
                return False
        self._news.clear()
        return True


class Queries:
    """Asks, and answers. This node is asked like the others, but for the bus."""

    def __init__(self, manager: ClusterMember) -> None:
        self._manager = manager
        self._answering = Answering(manager)
        self._polls = Polls()

    def __len__(self) -> int:
        """How many questions wait for answers."""
        return len(self._polls)

    def myself(self) -> list[str]:
        """Name this node."""
        return [self._manager.node_id]

    def others(self) -> list[str]:
        """Name every other live node."""
        return [node for node in self._manager.node.nodes if node != self._manager.node_id]

    def everybody(self) -> list[str]:
        """Name every live node."""
        return self.myself() + self.others()

    @contextmanager
    def open(
        self, nodes: Iterable[str], whom: Recipients, question: Question, timeout: float | None = None
    ) -> Iterator[OpenQuestion]:
        """Ask nodes; who leaves the context waits for answers no more.

        ``timeout`` is in seconds, None is ``request_seconds``. Raises ``ValueError`` for one that cannot be,
        ``EventTooLarge`` for a question that no bus carries.
        """
        seconds = self._manager.options.request_seconds if timeout is None else timeout
        if not seconds > 0:
            raise ValueError(f"timeout must be more than 0 seconds, not {timeout}")
        asked = OpenQuestion(nodes, seconds)
        number = self._polls.open(asked.poll)
        try:
            self._send(asked.poll.missing, Query(number, whom, question))
            yield asked
        finally:
            self._polls.close(number)

    def tell(self, nodes: Iterable[str], whom: Recipients, question: Question) -> None:
        """Ask nodes, and want no answer; raises ``EventTooLarge``."""
        self._send(set(nodes), Query(NO_ANSWER, whom, question))

    def asked(self, origin: str, query: Query) -> None:
        """Answer another node."""
        inbox = self._manager.node.channels.inbox(origin)

        def send(items: list[bytes], error: str, *, last: bool) -> None:
            raw = [msgspec.Raw(item) for item in items]
            self._manager.node.post(Finding(query.request, raw, last, error), inbox)

        self._manager.spawn(self._answer(query, send))

    def said(self, origin: str, finding: Finding) -> None:
        """Take a piece of another node's answer."""
        items = [bytes(item) for item in finding.items]
        self._polls.said(finding.request, origin, items, finding.error, last=finding.last)

    def node_gone(self, node: str) -> None:
        """Wait for a node no more."""
        self._polls.node_gone(node)

    def _send(self, nodes: set[str], query: Query) -> None:
        me, node = self._manager.node_id, self._manager.node
        others = [each for each in nodes if each != me]
        if others:
            node.post(query, *map(node.channels.inbox, others))
        if me in nodes:

            def take(items: list[bytes], error: str, *, last: bool) -> None:
                self._polls.said(query.request, me, items, error, last=last)

            self._manager.spawn(self._answer(query, take))

    async def _answer(self, query: Query, send: Callable[..., None]) -> None:
        """Give an answer piece by piece, each when the one before is on its way."""
        error, wanted = "", query.request != NO_ANSWER
        try:
            async with aclosing(self._answering.answer(query.recipients, query.question)) as pieces:
                async for piece in pieces:
                    if wanted:
                        send(piece, "", last=False)
                        await asyncio.sleep(0)
                        await self._manager.node.publisher.wait_for_capacity()
        except (Failed, EventTooLarge) as exc:
            error = str(exc)
        except Exception as exc:
            logger.exception("a question could not be answered")
            error = f"{type(exc).__name__}: {exc}"
        if wanted:
            send([], error, last=True)
