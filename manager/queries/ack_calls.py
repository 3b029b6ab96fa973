"""Events that every client answers, as a method of the manager and of the server."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from contextlib import aclosing
from typing import Any, Final, NamedTuple

import msgspec

from socketio_cluster.manager.bus.query import AskClients
from socketio_cluster.manager.clients.packets import PacketClass, decode, encode_event, shared_ack_id
from socketio_cluster.manager.errors import PartialAnswer
from socketio_cluster.manager.queries.asking import Asking, choose
from socketio_cluster.manager.queries.selection import Rooms, recipients

_answer: Final = msgspec.msgpack.Decoder(tuple[str, list[bytes], bool]).decode


class ClientAnswer(NamedTuple):
    """What a client has answered; ``data`` is None, a value, or a tuple of several, as ``call`` gives it."""

    sid: str
    data: Any


class AnswerStream:
    """The answers of clients: awaited they are a list, in ``async for`` each comes when it is there.

    The event is emitted when the waiting begins, each time anew.
    """

    def __init__(self, ask: Callable[[], AsyncGenerator[ClientAnswer]]) -> None:
        self._ask = ask

    def __aiter__(self) -> AsyncIterator[ClientAnswer]:
        return self._ask()

    def __await__(self) -> Generator[Any, None, list[ClientAnswer]]:
        return self._all().__await__()

    async def _all(self) -> list[ClientAnswer]:
        answers = []
        async with aclosing(self._ask()) as stream:
            try:
                async for answer in stream:
                    answers.append(answer)  # noqa: PERF401 - what came before an error counts
            except PartialAnswer as error:
                error.answer = answers
                raise
        return answers


class AckCalls(Asking):
    """Asks the clients of all nodes."""

    def emit_with_ack(
        self,
        event: str,
        data: Any = None,
        room: Rooms | None = None,
        *,
        except_: Rooms | None = None,
        namespace: str | None = None,
        local: bool = False,
        timeout: float | None = None,
    ) -> AnswerStream:
        """Emit an event, and give what the clients answer: to be awaited, or for ``async for``.

        It ends when all clients have answered or are gone, or after ``timeout`` seconds. Who has not answered
        by then is not in it, and nothing is kept for it.

        Args:
            event: its name.
            data: as for ``emit``.
            room: a room or sid, several, or None for the whole namespace.
            except_: rooms and sids that are left out.
            namespace: "/" if None.
            local: ask the clients of this node alone.
            timeout: seconds that the clients have; None is the option ``request_seconds``.

        Raises:
            PartialAnswer: at the end, when a live node has not said anything in time, or could not ask its
                clients. ``answer`` holds the others' answers; in ``async for``, which has given them, none.
            ValueError, TypeError: at once, as ``emit``; for a wrong timeout when the waiting begins.
            EventTooLarge: when the waiting begins; nobody has got it.
        """
        whom = recipients(namespace, room, except_)
        packet_class: PacketClass = self.cluster_manager.server.packet_class
        encoded = encode_event(packet_class, event, data, whom.namespace, shared_ack_id())

        async def ask() -> AsyncGenerator[ClientAnswer]:
            manager = self.cluster_manager
            await manager.start()
            seconds = manager.options.request_seconds if timeout is None else timeout
            question = AskClients(*encoded, seconds)
            with manager.queries.open(choose(local=local)(manager.queries), whom, question, seconds) as asked:
                manager.stats.emitted += 1
                while await asked.news():
                    for item in asked.poll.take():
                        yield _read(packet_class, item)
            if asked.poll.silent or asked.poll.failures:
                raise PartialAnswer([], frozenset(asked.poll.silent), asked.poll.failures, seconds)

        return AnswerStream(ask)


def _read(packet_class: PacketClass, item: bytes) -> ClientAnswer:
    sid, parts, text = _answer(item)
    args = decode(packet_class, parts, text).data
    return ClientAnswer(sid, tuple(args) if len(args) > 1 else args[0] if args else None)
