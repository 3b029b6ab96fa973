"""``TestClient``: a Socket.IO client of a test, without a network."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

from socketio.exceptions import ConnectionError as SocketIOConnectionError

from socketio_cluster.cluster.clients.client_sessions import ClientSessions
from socketio_cluster.cluster.testing.connection import Connection
from socketio_cluster.cluster.testing.errors import NotReceived, not_received
from socketio_cluster.cluster.testing.virtual_node import VirtualNode

SECONDS: Final = 5.0
"""How long a test waits for something unless it says otherwise."""
MARK: Final = "socketio_cluster.testing.mark"
"""The event behind everything that the nodes have emitted before. Tests do not see it."""

Handler = Callable[..., Any]


class TestClient:
    """A client of one node of a ``TestCluster``, which ``TestCluster.connect`` makes.

    Several arguments of an event or an answer are a tuple, none are None.
    """

    __test__: ClassVar = False  # pytest takes each class of such a name for tests

    def __init__(
        self,
        nodes: Sequence[VirtualNode],
        namespace: str,
        path: str,
        query: dict[str, str],
        headers: dict[str, str],
    ) -> None:
        self.namespace = namespace
        self._nodes = nodes
        self._path = path
        self._query = urlencode({"EIO": "4", "transport": "websocket", "recovery": "1", **query})
        self._headers = headers
        self._auth: dict[str, Any] | None = None
        self._sessions = ClientSessions()
        self._connection: Connection
        self._events: list[tuple[str, Any]] = []
        self._changed = asyncio.Event()
        self._marks = 0
        self._handlers: dict[str, Handler] = {}
        self._answering: set[asyncio.Task[None]] = set()

    @property
    def sid(self) -> str:
        """The client's sid in its namespace."""
        return self._connection.sid

    @property
    def connected(self) -> bool:
        """Whether the client is connected."""
        return not self._connection.over.is_set()

    @property
    def recovered(self) -> bool:
        """Whether the client has its former session back, since ``reconnect``."""
        return self._sessions.recovered(self.namespace)

    async def open(self, node: int, auth: dict[str, Any] | None) -> None:
        """Connect to a node, as ``TestCluster.connect`` does."""
        self._auth = auth
        chosen = self._nodes[node]
        scope = chosen.scope(self._path, self._query, self._headers)
        self._connection = Connection(chosen, scope, self.namespace, self._sessions, self)
        await self._connection.open(auth)

    async def emit(self, event: str, *args: Any) -> None:
        """Emit an event to the server, which handles it later.

        Raises ``socketio.exceptions.ConnectionError`` if the client is not connected.
        """
        self._check_connected()
        self._connection.emit(event, args)

    async def call(self, event: str, *args: Any, timeout: float = SECONDS) -> Any:
        """Emit an event to the server, and return what its handler answers.

        Raises ``NotReceived`` when no answer comes in ``timeout`` seconds, and
        ``socketio.exceptions.ConnectionError`` when the connection ends before.
        """
        self._check_connected()
        try:
            return _value(await self._connection.call(event, args, timeout))
        except TimeoutError:
            raise self._missing(f"an answer to {event!r}", timeout) from None

    async def receive(self, event: str, timeout: float = SECONDS) -> Any:
        """Return the data of the next event of this name. Other events go on waiting.

        Raises ``NotReceived`` when none comes in ``timeout`` seconds, or before the connection ends.
        """
        try:
            async with asyncio.timeout(timeout):
                while not (found := [one for one in self._events if one[0] == event]):
                    await self._news(f"the event {event!r}", timeout)
        except TimeoutError:
            raise self._missing(f"the event {event!r}", timeout) from None
        self._events.remove(found[0])
        return found[0][1]

    async def remaining(self, timeout: float = SECONDS) -> list[tuple[str, Any]]:
        """Return the events that no ``receive`` has taken, each a name and its data, and forget them.

        All that the nodes have emitted until now is among them. What a handler emits later is not: ``call``
        its event to know that it has ended. Raises ``NotReceived`` as ``receive``.
        """
        due = 0
        self._marks = 0
        for node in self._nodes:
            for manager in node.managers:
                await manager.emit(MARK, None, self.namespace, room=self.sid)
                due += 1
        try:
            async with asyncio.timeout(timeout):
                while self._marks < due:
                    await self._news("all that was emitted", timeout)
        except TimeoutError:
            raise self._missing("all that was emitted", timeout) from None
        events, self._events = self._events, []
        return events

    def on(self, event: str, handler: Handler) -> None:
        """Answer events of this name with what ``handler(*args)`` returns; it may be a coroutine function.

        These events are not received.
        """
        self._handlers[event] = handler

    async def disconnect(self) -> None:
        """Disconnect, and wait until the server has seen it. A second call does nothing."""
        await self._connection.close()

    async def disconnected(self, timeout: float = SECONDS) -> None:
        """Wait until the server has disconnected this client.

        Raises ``NotReceived`` when that does not happen in ``timeout`` seconds.
        """
        try:
            await asyncio.wait_for(self._connection.over.wait(), timeout)
        except TimeoutError:
            raise self._missing("the end of the connection", timeout) from None

    async def lose_connection(self) -> None:
        """End the connection without a goodbye, as when the network is lost."""
        await self._connection.cut()

    async def reconnect(self, node: int = 0) -> None:
        """Connect again, to any node, as the client that it was. With recovery it gets what it has missed.

        Raises as ``TestCluster.connect``.
        """
        if self.connected:
            raise SocketIOConnectionError("the client is still connected: lose_connection() comes first")
        await self.open(node, self._auth)

    def ended(self) -> None:
        """Note that the connection has ended."""
        self._changed.set()

    def deliver(self, event: str, args: list[Any], number: int | None) -> None:
        """Take an event of the server. It waits for an answer with this number, if there is one."""
        if event == MARK:
            self._marks += 1
        elif event in self._handlers:
            task = asyncio.create_task(self._answer(self._handlers[event], args, number))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
        else:
            self._events.append((event, _value(args)))
        self._changed.set()

    async def _answer(self, handler: Handler, args: list[Any], number: int | None) -> None:
        answer = handler(*args)
        if inspect.isawaitable(answer):
            answer = await answer
        if number is not None:
            several = list(answer) if isinstance(answer, tuple) else [] if answer is None else [answer]
            self._connection.answer(number, several)

    async def _news(self, what: str, seconds: float) -> None:
        """Wait until something arrives. Raises ``NotReceived`` if the connection has ended."""
        if not self.connected:
            raise self._missing(what, seconds)
        self._changed.clear()
        await self._changed.wait()

    def _check_connected(self) -> None:
        if not self.connected:
            raise SocketIOConnectionError("the client is not connected")

    def _missing(self, what: str, seconds: float) -> NotReceived:
        return not_received(what, seconds, self._events, gone=not self.connected)


def _value(args: list[Any]) -> Any:
    return args[0] if len(args) == 1 else tuple(args) or None
