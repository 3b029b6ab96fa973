"""The calls of ``calls.py`` for a program that blocks: each waits for its result."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Sequence
from typing import Any, TypeVar, Unpack

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.clients.client import Callback
from socketio_cluster.manager.queries.ack_calls import ClientAnswer
from socketio_cluster.manager.queries.asking import Stream
from socketio_cluster.manager.queries.blocking_broadcast import BlockingBroadcast
from socketio_cluster.manager.queries.broadcast import Calls
from socketio_cluster.manager.queries.selection import Rooms, Whom
from socketio_cluster.manager.queries.socket_info import SocketInfo
from socketio_cluster.manager.queries.steps import FirstStep

T = TypeVar("T")


class BlockingCalls(FirstStep[BlockingBroadcast]):
    """The calls about the clients of all nodes, and about the servers themselves.

    Arguments, results and errors are those of the calls of the same name of ``AsyncServer``.
    """

    @abstractmethod
    def wait_for(self, call: Callable[[Calls], Coroutine[Any, Any, T]]) -> T:
        """Run a call on the event loop of the node, and return its result or raise its error."""

    def threaded(self, callback: Callback) -> Callback:
        """Return a function that the loop calls in the place of a callback that may block."""
        return callback

    def iterate(self, call: Callable[[Calls], Stream[T]]) -> Iterator[T]:
        """Ask when the first value is wanted, and yield each value when it has come."""

        def values(pieces: AsyncGenerator[Sequence[T]]) -> Iterator[T]:
            while (piece := self.wait_for(lambda _: _next(pieces))) is not None:
                yield from piece
            # A caller that stops early drops ``pieces``, which asyncio then closes on its own loop.

        # Wrong arguments raise here, and not when the first value is wanted.
        return values(self.wait_for(lambda calls: _begin(call(calls))))

    def fetch_sockets(
        self, room: Rooms | None = None, *, session: bool = True, **whom: Unpack[Whom]
    ) -> list[SocketInfo]:
        """Describe the connected clients, on whichever node they are."""
        return self.wait_for(lambda calls: calls.fetch_sockets(room, session=session, **whom).all())

    def iter_sockets(
        self, room: Rooms | None = None, *, session: bool = True, **whom: Unpack[Whom]
    ) -> Iterator[SocketInfo]:
        """Describe them one by one. Only a few are in memory at a time, however many there are."""
        return self.iterate(lambda calls: calls.fetch_sockets(room, session=session, **whom))

    def count(self, room: Rooms | None = None, **whom: Unpack[Whom]) -> int:
        """Count the connected clients. Each node sends only a number."""
        return self.wait_for(lambda calls: calls.count(room, **whom))

    def fetch_rooms(
        self, namespace: str | None = None, *, local: bool = False, timeout: float | None = None
    ) -> dict[Room, int]:
        """Return the rooms of a namespace with the number of clients in each."""
        return self.wait_for(lambda calls: calls.fetch_rooms(namespace, local=local, timeout=timeout))

    def rooms_of(
        self, sid: str, namespace: str | None = None, *, timeout: float | None = None
    ) -> frozenset[Room]:
        """Return the rooms that a client of any node is in. Raises ``ValueError`` for an unknown sid."""
        return self.wait_for(lambda calls: calls.rooms_of(sid, namespace, timeout=timeout))

    def sockets_join(self, rooms: Rooms, room: Rooms | None = None, **whom: Unpack[Whom]) -> int:
        """Put clients into rooms; returns how many. An emit made afterwards, by any node, sees it."""
        return self.wait_for(lambda calls: calls.sockets_join(rooms, room, **whom))

    def sockets_leave(self, rooms: Rooms, room: Rooms | None = None, **whom: Unpack[Whom]) -> int:
        """Take clients out of rooms; returns how many were looked at."""
        return self.wait_for(lambda calls: calls.sockets_leave(rooms, room, **whom))

    def disconnect_sockets(self, room: Rooms | None = None, **whom: Unpack[Whom]) -> int:
        """Disconnect clients; returns how many, when their disconnect handlers have run."""
        return self.wait_for(lambda calls: calls.disconnect_sockets(room, **whom))

    def emit_with_ack(
        self, event: str, data: Any = None, room: Rooms | None = None, **whom: Unpack[Whom]
    ) -> list[ClientAnswer]:
        """Emit an event, and return the list of the clients' answers."""
        return self.wait_for(lambda calls: calls.emit_with_ack(event, data, room, **whom).all())

    def iter_answers(
        self, event: str, data: Any = None, room: Rooms | None = None, **whom: Unpack[Whom]
    ) -> Iterator[ClientAnswer]:
        """Emit an event, and yield each client's answer when it has come."""
        return self.iterate(lambda calls: calls.emit_with_ack(event, data, room, **whom))

    def server_side_emit(self, event: str, data: Any = None, *, namespace: str | None = None) -> None:
        """Emit an event to every other live node; no client hears of it."""
        self.wait_for(lambda calls: calls.server_side_emit(event, data, namespace=namespace))

    def server_side_emit_with_ack(
        self, event: str, data: Any = None, *, namespace: str | None = None, timeout: float | None = None
    ) -> dict[str, Any]:
        """Emit as ``server_side_emit``, and return the result of each node's handler, by the node's id."""
        options: dict[str, Any] = {"namespace": namespace, "timeout": timeout}
        return self.wait_for(lambda calls: calls.server_side_emit_with_ack(event, data, **options))

    def _everybody(self) -> BlockingBroadcast:
        return BlockingBroadcast(self)


async def _begin(stream: Stream[T]) -> AsyncGenerator[Sequence[T]]:
    return stream.pieces()


async def _next(pieces: AsyncGenerator[T]) -> T | None:
    return await anext(pieces, None)
