"""The operator: it does something with the clients that its steps have chosen."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from socketio_cluster.manager.clients.client import Callback
from socketio_cluster.manager.queries.ack_calls import AckCalls, ClientAnswer
from socketio_cluster.manager.queries.asking import Stream
from socketio_cluster.manager.queries.selection import Rooms
from socketio_cluster.manager.queries.server_calls import ServerEmits
from socketio_cluster.manager.queries.socket_calls import SocketCalls
from socketio_cluster.manager.queries.socket_info import SocketInfo
from socketio_cluster.manager.queries.steps import Steps


class Calls(SocketCalls, AckCalls, ServerEmits):
    """The calls about clients and servers of all nodes. A process needs no clients of its own for them."""


class Broadcast(Steps[Calls]):
    """Emits to the clients that its steps have chosen, and asks about them.

    Made by ``to``, ``except_``, ``where``, ``of``, ``volatile`` and ``local`` of a server, a manager or an
    emitter.
    """

    def emit(
        self,
        event: str,
        data: Any = None,
        *,
        skip_sid: str | list[str] | None = None,
        callback: Callback | None = None,
    ) -> Coroutine[Any, Any, None]:
        """Emit to them, as ``emit`` of the server; to be awaited.

        ``skip_sid`` are sids that are left out too. ``callback`` is called with the answer of each client.
        """
        emits, target = self._calls.cluster_manager.selective_emits, self._aim(skip_sid)
        encoded = emits.encode(event, data, target, callback)
        return emits.emit(encoded, target, callback, volatile=self._volatile)

    def emit_with_ack(self, event: str, data: Any = None) -> Stream[ClientAnswer]:
        """Emit to them, and give their answers, as ``emit_with_ack`` of the server.

        ``volatile`` has no effect on it.
        """
        return self._calls.emit_with_ack(event, data, self._rooms, **self._whom)

    def fetch_sockets(self, *, session: bool = True) -> Stream[SocketInfo]:
        """Describe them, as ``fetch_sockets`` of the server."""
        return self._calls.fetch_sockets(self._rooms, session=session, **self._whom)

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
