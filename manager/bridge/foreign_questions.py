"""``ForeignQuestions``: asks the servers of the foreign cluster which clients they have."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from itertools import count

from socketio_cluster.manager.bridge.commands import Ask, Command, Told, Whom
from socketio_cluster.manager.bridge.dialect import BridgeError
from socketio_cluster.manager.errors import BrokerError
from socketio_cluster.manager.queries.failed import Failed
from socketio_cluster.manager.queries.socket_info import SocketInfo

Answers = asyncio.Queue[Sequence[SocketInfo]]


class ForeignQuestions:
    """Asks, and gathers the answers.

    Args:
        node: the id of the bridge's node.
        servers: returns how many foreign servers will answer a question about a namespace. It raises
            ``BrokerError``.
        send: gives a command to the foreign cluster. It raises ``BridgeError``.
        seconds: how long they may take.
    """

    def __init__(
        self,
        node: str,
        servers: Callable[[str], Awaitable[int]],
        send: Callable[[Command], None],
        seconds: float,
    ) -> None:
        self._node = node
        self._servers = servers
        self._send = send
        self._seconds = seconds
        self._numbers = count(1)
        self._open: dict[int, Answers] = {}

    async def clients(self, whom: Whom) -> AsyncIterator[SocketInfo]:
        """Yield the foreign clients. Raises ``Failed`` after those of the servers that have answered."""
        number, answers = next(self._numbers), Answers()
        self._open[number] = answers
        missing = expected = 0
        until = asyncio.get_running_loop().time() + self._seconds
        try:
            async with asyncio.timeout_at(until):
                missing = expected = await self._servers(whom.namespace)
            self._send(Ask(whom, (self._node, number)))
            while missing:
                # Not around the yield: it would cancel whoever takes the clients, at whatever that waits for.
                async with asyncio.timeout_at(until):
                    clients = await answers.get()
                missing -= 1
                for client in clients:
                    yield client
        except (BridgeError, BrokerError) as exc:
            raise Failed(str(exc)) from exc
        except TimeoutError:
            raise Failed(f"{missing} of {expected} foreign servers have not answered") from None
        finally:
            del self._open[number]

    def told(self, answer: Told) -> None:
        """Note what a server says. An answer that comes too late is ignored."""
        _, number = answer.reply_to
        if number in self._open and not isinstance(answer.clients, int):
            self._open[number].put_nowait(answer.clients)
