"""The answers of one node to questions: each in a task of its own, piece by piece, as they are wanted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from socketio_cluster.manager.bus.query_messages import Finding, Listing, Query, Want
from socketio_cluster.manager.errors import EventTooLarge
from socketio_cluster.manager.queries.answer_window import AnswerWindow
from socketio_cluster.manager.queries.failed import Failed

if TYPE_CHECKING:
    from socketio_cluster.manager.member import ClusterMember

logger = logging.getLogger("socketio_cluster.manager")

NO_ANSWER: Final = 0
"""The number of a query that wants no answer."""


class _Listing(NamedTuple):
    window: AnswerWindow
    task: asyncio.Task[None]


class Replies:
    """The answers that this node is giving. Those with many pieces can be stopped."""

    def __init__(self, manager: ClusterMember) -> None:
        self._manager = manager
        self._answering = manager.new_answering()
        self._listings: dict[tuple[str, int], _Listing] = {}

    def __len__(self) -> int:
        """Return how many answers with many pieces are being given."""
        return len(self._listings)

    def asked(self, origin: str, query: Query) -> None:
        """Answer another node."""
        inbox = self._manager.node.channels.inbox(origin)

        def send(items: list[bytes], error: str, *, last: bool) -> None:
            raw = [msgspec.Raw(item) for item in items]
            self._manager.node.post(Finding(query.request, raw, last, error), inbox)

        self.begin(origin, query, send)

    def begin(self, asker: str, query: Query, send: Callable[..., None]) -> None:
        """Answer a node by way of ``send``, which takes the items of a piece, an error, and ``last``."""
        question = query.question
        if not isinstance(question, Listing):
            self._manager.spawn(self._do(query, send))
            return
        key, window = (asker, query.request), AnswerWindow()
        task = self._manager.spawn(self._list(query, question, window, send))
        self._listings[key] = _Listing(window, task)
        task.add_done_callback(lambda _: self._listings.pop(key, None))

    def wanted(self, asker: str, want: Want) -> None:
        """Send this number of further pieces, or stop the answer if it is 0."""
        listing = self._listings.get((asker, want.request))
        if listing is None:
            return
        if want.pieces > 0:
            listing.window.allow(want.pieces)
        else:
            listing.task.cancel()

    def node_gone(self, node: str) -> None:
        """Stop the answers for a node that is gone."""
        for (asker, _), listing in self._listings.items():
            if asker == node:
                listing.task.cancel()

    async def _list(
        self, query: Query, question: Listing, window: AnswerWindow, send: Callable[..., None]
    ) -> None:
        """Send an answer with many pieces, each when the asker wants it and the one before is on its way."""

        async def give() -> None:
            async with aclosing(self._answering.give(query.recipients, question)) as pieces:
                async for piece in pieces:
                    await window.wait()
                    send(piece, "", last=False)
                    await asyncio.sleep(0)
                    await self._manager.node.publisher.wait_for_room()

        send([], await _error_of(give()), last=True)

    async def _do(self, query: Query, send: Callable[..., None]) -> None:
        """Do what is asked, and send the result."""
        wanted = query.request != NO_ANSWER

        async def do() -> None:
            item = await self._answering.do(query.recipients, query.question)
            if wanted:
                send([item], "", last=True)

        error = await _error_of(do())
        if error and wanted:
            send([], error, last=True)


async def _error_of(work: Coroutine[Any, Any, None]) -> str:
    """Do the work. Returns a text for the asker that says what went wrong, or an empty one."""
    try:
        await work
    except (Failed, EventTooLarge) as exc:
        return str(exc)
    except Exception as exc:
        logger.exception("a question could not be answered")
        return f"{type(exc).__name__}: {exc}"
    return ""
