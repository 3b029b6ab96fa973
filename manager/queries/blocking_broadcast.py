"""The operator of a program that blocks: it does something with the clients that its steps have chosen."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from socketio_cluster.manager.clients.client import Callback
from socketio_cluster.manager.queries.ack_calls import ClientAnswer
from socketio_cluster.manager.queries.broadcast import Broadcast, Calls
from socketio_cluster.manager.queries.selection import Rooms
from socketio_cluster.manager.queries.socket_info import SocketInfo
from socketio_cluster.manager.queries.steps import Steps

if TYPE_CHECKING:
    from socketio_cluster.manager.queries.asking import Stream

T = TypeVar("T")


class Waiting(Protocol):
    """Runs a call on the event loop of its node, while the calling thread waits."""

    def wait_for(self, call: Callable[[Calls], Coroutine[Any, Any, T]]) -> T:
        """Run a call and return its result, or raise its error."""

    def iterate(self, call: Callable[[Calls], Stream[T]]) -> Iterator[T]:
        """Yield the values of a call as they come."""

    def threaded(self, callback: Callback) -> Callback:
        """Let a callback run in a thread of its own."""


class BlockingBroadcast(Steps[Waiting]):
    """A ``Broadcast`` whose calls wait for their results.

    Made by ``to``, ``except_``, ``where``, ``of``, ``volatile`` and ``local`` of a server, a manager or an
    emitter for threads.
    """

    def emit(
        self,
        event: str,
        data: Any = None,
        *,
        skip_sid: str | list[str] | None = None,
        callback: Callback | None = None,
    ) -> None:
        """Emit to them, as ``emit`` of the server; ``callback`` runs in a thread of its own."""
        threaded = self._calls.threaded(callback) if callback is not None else None
        self._calls.wait_for(
            lambda calls: self._on(calls).emit(event, data, skip_sid=skip_sid, callback=threaded)
        )

    def emit_with_ack(self, event: str, data: Any = None) -> list[ClientAnswer]:
        """Emit to them, and return the list of their answers."""
        return self._calls.wait_for(lambda calls: self._on(calls).emit_with_ack(event, data).all())

    def iter_answers(self, event: str, data: Any = None) -> Iterator[ClientAnswer]:
        """Emit to them, and give each answer when it comes."""
        return self._calls.iterate(lambda calls: self._on(calls).emit_with_ack(event, data))

    def fetch_sockets(self, *, session: bool = True) -> list[SocketInfo]:
        """Describe them."""
        return self._calls.wait_for(lambda calls: self._on(calls).fetch_sockets(session=session).all())

    def iter_sockets(self, *, session: bool = True) -> Iterator[SocketInfo]:
        """Describe them one by one. Only a few are in memory at a time."""
        return self._calls.iterate(lambda calls: self._on(calls).fetch_sockets(session=session))

    def count(self) -> int:
        """Count them."""
        return self._calls.wait_for(lambda calls: self._on(calls).count())

    def sockets_join(self, rooms: Rooms) -> int:
        """Put them into rooms; returns how many."""
        return self._calls.wait_for(lambda calls: self._on(calls).sockets_join(rooms))

    def sockets_leave(self, rooms: Rooms) -> int:
        """Take them out of rooms; returns how many were looked at."""
        return self._calls.wait_for(lambda calls: self._on(calls).sockets_leave(rooms))

    def disconnect_sockets(self) -> int:
        """Disconnect them; returns how many, when their disconnect handlers have run."""
        return self._calls.wait_for(lambda calls: self._on(calls).disconnect_sockets())

    def _on(self, calls: Calls) -> Broadcast:
        """Return the operator with the same steps for an event loop."""
        return Broadcast(
            calls,
            self._namespace,
            self._rooms,
            self._except,
            self._where,
            self._volatile,
            self._local,
            self._seconds,
        )
