"""What all questions of an application have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast

from socketio_cluster.manager.bus.query import Question, Recipients
from socketio_cluster.manager.errors import PartialAnswer
from socketio_cluster.manager.queries.queries import Queries

if TYPE_CHECKING:
    from socketio_cluster.manager.member import ClusterMember

T = TypeVar("T")
Nodes = Callable[[Queries], list[str]]
"""Chooses whom to ask."""


def choose(*, local: bool) -> Nodes:
    """Ask this node alone, or all."""
    return Queries.myself if local else Queries.everybody


class Asking:
    """Asks by way of a manager."""

    @property
    def cluster_manager(self) -> ClusterMember:
        """The manager that asks: this one itself."""
        return cast("ClusterMember", self)

    async def _ask(
        self,
        whom: Recipients,
        question: Question,
        read: Callable[[list[bytes]], T],
        timeout: float | None,
        nodes: Nodes = Queries.everybody,
    ) -> T:
        """Ask nodes, and give what ``read`` makes of it all.

        Raises ``PartialAnswer`` when a node has not said all in time, or could not.
        """
        manager = self.cluster_manager
        await manager.start()
        with manager.queries.open(nodes(manager.queries), whom, question, timeout) as asked:
            while await asked.news():
                pass
        poll = asked.poll
        answer = read(poll.take())
        if poll.missing or poll.failures:
            raise PartialAnswer(answer, frozenset(poll.missing), poll.failures, asked.seconds)
        return answer
