"""The questions an application asks about clients, as methods of the manager and of the server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

import msgspec

from socketio_cluster.manager.bus.channels import Room, check_room
from socketio_cluster.manager.bus.query import (
    CountSockets,
    DisconnectSockets,
    FindRooms,
    FindSockets,
    JoinRooms,
    LeaveRooms,
)
from socketio_cluster.manager.errors import UNKNOWN_SID
from socketio_cluster.manager.ids import node_of
from socketio_cluster.manager.queries.asking import Asking, choose
from socketio_cluster.manager.queries.queries import Queries
from socketio_cluster.manager.queries.selection import Rooms, recipients
from socketio_cluster.manager.queries.socket_info import SocketInfo

_socket: Final = msgspec.msgpack.Decoder(SocketInfo).decode
_number: Final = msgspec.msgpack.Decoder(int).decode
_room: Final = msgspec.msgpack.Decoder(tuple[Room, int]).decode


class SocketCalls(Asking):
    """Questions to all nodes, and what is done to clients of all nodes at once.

    ``room`` is a room or a sid, several of them, or None for everybody in the namespace; ``except_`` takes
    out who is in any of these rooms. ``local`` asks this node alone. ``timeout`` is in seconds; None is the
    option ``request_seconds``.

    Every call raises ``PartialAnswer`` when a live node does not answer in time, or cannot, and at once what
    ``emit`` raises for a room that cannot be. A node that leaves or dies meanwhile is waited for no longer;
    one that starts meanwhile is not asked.
    """

    async def fetch_sockets(
        self,
        room: Rooms | None = None,
        *,
        except_: Rooms | None = None,
        namespace: str | None = None,
        session: bool = True,
        local: bool = False,
        timeout: float | None = None,
    ) -> list[SocketInfo]:
        """Describe the connected clients, on whichever node they are.

        Args:
            room: a room or sid, several, or None for the whole namespace.
            except_: rooms whose members are left out.
            namespace: "/" if None.
            session: whether to fetch what ``save_session`` has stored too.
            local: ask this node alone.
            timeout: seconds to wait for the other nodes.

        Raises:
            PartialAnswer: a node did not answer in time, or a session cannot be packed; ``answer`` holds the
                clients of the others.
        """
        whom = recipients(namespace, room, except_)
        return await self._ask(whom, FindSockets(session), _sockets, timeout, choose(local=local))

    async def count(
        self,
        room: Rooms | None = None,
        *,
        except_: Rooms | None = None,
        namespace: str | None = None,
        local: bool = False,
        timeout: float | None = None,
    ) -> int:
        """Count the connected clients; every node sends only a number. Arguments as for ``fetch_sockets``."""
        whom = recipients(namespace, room, except_)
        return await self._ask(whom, CountSockets(), _sum, timeout, choose(local=local))

    async def fetch_rooms(
        self, namespace: str | None = None, *, local: bool = False, timeout: float | None = None
    ) -> dict[Room, int]:
        """Give the rooms of a namespace with the number of clients in each.

        Rooms that are clients' own are left out. Arguments as for ``fetch_sockets``.
        """
        whom = recipients(namespace, None, None)
        return await self._ask(whom, FindRooms(), _rooms, timeout, choose(local=local))

    async def rooms_of(
        self, sid: str, namespace: str | None = None, *, timeout: float | None = None
    ) -> frozenset[Room]:
        """Give the rooms a client has entered, wherever it is. Its own, named like its sid, is left out.

        Only the client's node is asked. Raises ``ValueError`` for an unknown sid, and one whose node is gone.
        """
        whom = recipients(namespace, sid, None)

        def owner(queries: Queries) -> list[str]:
            return [node for node in queries.everybody() if node == node_of(sid)]

        for socket in await self._ask(whom, FindSockets(session=False), _sockets, timeout, owner):
            if socket.sid == sid:
                return socket.rooms
        raise ValueError(UNKNOWN_SID)

    async def sockets_join(
        self,
        rooms: Rooms,
        room: Rooms | None = None,
        *,
        except_: Rooms | None = None,
        namespace: str | None = None,
        local: bool = False,
        timeout: float | None = None,
    ) -> int:
        """Put clients into rooms; returns how many. An emit made afterwards, by any node, sees it.

        ``rooms`` are those to enter; the other arguments are those of ``fetch_sockets``. Raises
        ``ValueError`` for a client's own room, and ``PartialAnswer`` too when clients are in as many rooms
        as they may be.
        """
        entered = [check_room(one) for one in _several(rooms)]
        whom = recipients(namespace, room, except_)
        manager = self.cluster_manager
        await manager.start()
        for one in entered:
            own = manager.is_sid_room(whom.namespace, one)
            if own or await manager.remote.is_client(whom.namespace, one):
                raise ValueError("cannot enter a sid room")
        return await self._ask(whom, JoinRooms(entered), _sum, timeout, choose(local=local))

    async def sockets_leave(
        self,
        rooms: Rooms,
        room: Rooms | None = None,
        *,
        except_: Rooms | None = None,
        namespace: str | None = None,
        local: bool = False,
        timeout: float | None = None,
    ) -> int:
        """Take clients out of rooms; returns how many were looked at. Arguments as for ``sockets_join``."""
        left = [check_room(one) for one in _several(rooms)]
        whom = recipients(namespace, room, except_)
        return await self._ask(whom, LeaveRooms(left), _sum, timeout, choose(local=local))

    async def disconnect_sockets(
        self,
        room: Rooms | None = None,
        *,
        except_: Rooms | None = None,
        namespace: str | None = None,
        local: bool = False,
        timeout: float | None = None,
    ) -> int:
        """Disconnect clients from the namespace; returns how many, when their disconnect handlers have run.

        Arguments as for ``fetch_sockets``.
        """
        whom = recipients(namespace, room, except_)
        return await self._ask(whom, DisconnectSockets(), _sum, timeout, choose(local=local))


def _several(rooms: Rooms) -> Iterable[Room]:
    return [rooms] if isinstance(rooms, str | int) else rooms


def _sockets(items: list[bytes]) -> list[SocketInfo]:
    return list(map(_socket, items))


def _sum(items: list[bytes]) -> int:
    return sum(map(_number, items))


def _rooms(items: list[bytes]) -> dict[Room, int]:
    total: Counter[Room] = Counter()
    for room, clients in map(_room, items):
        total[room] += clients
    return dict(total)
