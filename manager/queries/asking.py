"""The common part of all questions that an application asks."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, cast

from socketio_cluster.manager.bus.query_messages import Question
from socketio_cluster.manager.errors import PartialAnswer
from socketio_cluster.manager.queries.polls import Poll
from socketio_cluster.manager.queries.queries import Queries
from socketio_cluster.manager.queries.selection import Aim

if TYPE_CHECKING:
    from socketio_cluster.manager.queries.asker import Asker

T = TypeVar("T")


class Stream(Generic[T]):
    """Values from all nodes. ``await`` returns them as a list, ``async for`` gives each one when it has come.

    The question is asked when the waiting begins, each time anew. In ``async for`` a node sends more values
    only after the earlier ones were taken. So only a few are in memory, however many there are.
    """

    def __init__(self, pieces: Callable[[], AsyncGenerator[Sequence[T]]]) -> None:
        self.pieces = pieces
        """Asks, and yields the values in the pieces in which they come."""

    async def __aiter__(self) -> AsyncIterator[T]:
        async with aclosing(self.pieces()) as pieces:
            async for piece in pieces:
                for value in piece:
                    yield value

    def __await__(self) -> Generator[Any, None, list[T]]:
        return self.all().__await__()

    async def all(self) -> list[T]:
        """Return all values. Raises ``PartialAnswer``, which holds those that have come."""
        values: list[T] = []
        async with aclosing(self.pieces()) as pieces:
            try:
                async for piece in pieces:
                    values += piece
            except PartialAnswer as error:
                error.answer = values
                raise
        return values


class Asking:
    """Asks the nodes for a manager."""

    @property
    def cluster_manager(self) -> Asker:
        """The manager that asks: this one itself."""
        return cast("Asker", self)

    async def _ask(
        self,
        aim: Aim,
        question: Question,
        read: Callable[[list[bytes]], T],
        nodes: Callable[[Queries], list[str]] = Queries.everybody,
    ) -> T:
        """Ask nodes, and return what ``read`` makes of all answers.

        Raises ``PartialAnswer`` when a node has not said all in time, or could not.
        """
        whom = await self._whom(aim, nodes)
        with self.cluster_manager.queries.open(whom.here, aim.recipients, question, aim.timeout) as asked:
            answer = read(await asked.items())
        _check(asked.poll, whom, answer, asked.seconds)
        return answer

    def _stream(
        self,
        aim: Aim,
        question: Callable[[float], Question],
        read: Callable[[bytes], T],
        last_words: float | None = None,
    ) -> Stream[T]:
        """Ask nodes, and yield each item of their answers, read by ``read``.

        ``question`` gets the number of seconds that it may take. Without ``last_words`` each piece of an
        answer may take so long. With it all pieces together may, and then nodes have ``last_words`` seconds
        to send what they have.
        """

        async def ask() -> AsyncGenerator[Sequence[T]]:
            whom = await self._whom(aim, Queries.everybody)
            asker = self.cluster_manager
            seconds = aim.timeout or asker.options.request_seconds
            limits = (seconds, seconds) if last_words is None else (seconds + last_words, last_words)
            with asker.queries.open(whom.here, aim.recipients, question(seconds), *limits) as asked:
                async for piece in asked.pieces():
                    yield list(map(read, piece))
            _check(asked.poll, whom, [], seconds)

        return Stream(ask)

    async def _whom(self, aim: Aim, nodes: Callable[[Queries], list[str]]) -> _Nodes:
        """Return which nodes can be asked, when all nodes are known or the bus was not reached in time."""
        asker = self.cluster_manager
        if aim.local:
            await asker.start()
            return _Nodes(asker.queries.myself())
        seconds = aim.timeout or asker.options.request_seconds
        known = await asker.introduced(seconds)
        meant, me = nodes(asker.queries), asker.queries.myself()
        if known:
            return _Nodes(meant)
        return _Nodes([node for node in meant if node in me], frozenset(meant).difference(me), seconds)


class _Nodes(NamedTuple):
    """The nodes that a question is for: those that can be asked, and those that cannot without the bus.

    ``away`` is for how many seconds the bus was waited for in vain.
    """

    here: list[str]
    elsewhere: frozenset[str] = frozenset()
    away: float = 0


def _check(poll: Poll, whom: _Nodes, answer: Any, seconds: float) -> None:
    """Raise ``PartialAnswer`` when a node has not said all in time, or could not, or was not asked.

    ``seconds`` is the time that the caller has given.
    """
    if poll.missing or poll.failures or whom.away:
        missing = whom.elsewhere.union(poll.missing)
        raise PartialAnswer(answer, missing, poll.failures, whom.away or seconds, away=bool(whom.away))
