"""Node's ``BroadcastOperator``: whom an emit or a question is for, said step by step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.queries.ack_calls import AnswerStream
from socketio_cluster.manager.queries.selection import Rooms, recipients
from socketio_cluster.manager.queries.socket_info import SocketInfo

if TYPE_CHECKING:
    from socketio_cluster.manager.queries.calls import ClusterCalls


@dataclass(frozen=True)
class Broadcast:
    """Whom something is for; each step gives a new one, so that one can be kept and used again.

    Made by ``to``, ``except_``, ``of``, ``volatile`` and ``local`` of a server or a manager.
    """

    _calls: ClusterCalls
    _namespace: str = "/"
    _rooms: tuple[Room, ...] | None = None
    _except: tuple[Room, ...] = ()
    _volatile: bool = False
    _local: bool = False
    _seconds: float | None = None

    def to(self, *rooms: Room) -> Broadcast:
        """Add rooms, or sids: whoever is in any of them is meant, once."""
        return replace(self, _rooms=(*(self._rooms or ()), *rooms))

    def except_(self, *rooms: Room) -> Broadcast:
        """Leave out who is in any of these rooms, or has one of these sids."""
        return replace(self, _except=(*self._except, *rooms))

    def of(self, namespace: str) -> Broadcast:
        """Mean this namespace instead of "/"."""
        return replace(self, _namespace=namespace)

    @property
    def volatile(self) -> Broadcast:
        """Leave out, with ``emit``, those whose connection cannot take an event at once."""
        return replace(self, _volatile=True)

    @property
    def local(self) -> Broadcast:
        """Mean the clients of this node alone."""
        return replace(self, _local=True)

    def timeout(self, seconds: float) -> Broadcast:
        """Set how long answers are waited for; ``emit`` waits for none."""
        return replace(self, _seconds=seconds)

    async def emit(self, event: str, data: Any = None) -> None:
        """Emit to them, as ``AsyncServer.emit`` does."""
        manager = self._calls.cluster_manager
        whom = recipients(self._namespace, self._rooms, self._except)
        if self._except or self._volatile:
            emits = manager.selective_emits
            await emits.emit(event, data, whom, volatile=self._volatile, local=self._local)
        else:
            await manager.emit(event, data, self._namespace, whom.rooms, ignore_queue=self._local)

    def emit_with_ack(self, event: str, data: Any = None) -> AnswerStream:
        """Emit to them, and give their answers, as ``emit_with_ack`` of the server.

        ``volatile`` has no effect on it.
        """
        return self._calls.emit_with_ack(event, data, self._rooms, **self._whom)

    async def fetch_sockets(self, *, session: bool = True) -> list[SocketInfo]:
        """Describe them, as ``fetch_sockets`` of the server."""
        return await self._calls.fetch_sockets(self._rooms, session=session, **self._whom)

    async def count(self) -> int:
        """Count them, as ``count`` of the server."""
        return await self._calls.count(self._rooms, **self._whom)

    async def sockets_join(self, rooms: Rooms) -> int:
        """Put them into rooms, as ``sockets_join`` of the server."""
        return await self._calls.sockets_join(rooms, self._rooms, **self._whom)

    async def sockets_leave(self, rooms: Rooms) -> int:
        """Take them out of rooms, as ``sockets_leave`` of the server."""
        return await self._calls.sockets_leave(rooms, self._rooms, **self._whom)

    async def disconnect_sockets(self) -> int:
        """Disconnect them, as ``disconnect_sockets`` of the server."""
        return await self._calls.disconnect_sockets(self._rooms, **self._whom)

    @property
    def _whom(self) -> dict[str, Any]:
        """What all calls of the server take."""
        return {
            "except_": self._except,
            "namespace": self._namespace,
            "local": self._local,
            "timeout": self._seconds,
        }
