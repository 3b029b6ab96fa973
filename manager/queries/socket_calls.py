"""The questions an application asks about clients, as methods of the manager and of the server."""

from __future__ import annotations

from collections import Counter
from typing import Final, Unpack

import msgspec

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.bus.query_messages import (
    CountSockets,
    DisconnectSockets,
    FindRooms,
    FindSockets,
    JoinRooms,
    LeaveRooms,
)
from socketio_cluster.manager.checks import check_flag, check_rooms, check_sid
from socketio_cluster.manager.errors import UNKNOWN_SID
from socketio_cluster.manager.ids import node_of
from socketio_cluster.manager.queries.asking import Asking, Stream
from socketio_cluster.manager.queries.queries import Queries
from socketio_cluster.manager.queries.selection import Rooms, Whom, aim
from socketio_cluster.manager.queries.socket_info import SocketInfo

_socket: Final = msgspec.msgpack.Decoder(SocketInfo).decode
_number: Final = msgspec.msgpack.Decoder(int).decode
_room: Final = msgspec.msgpack.Decoder(tuple[Room, int]).decode


class SocketCalls(Asking):
    """The calls that ask all nodes about clients, or do something to many clients of all nodes.

    ``room`` is a room or a sid, several of them, or None for everybody in the namespace. ``whom`` are the
    arguments of ``Whom``, which all these calls take.

    Every call raises ``PartialAnswer`` when a live node does not answer in time, or cannot, and at once
    ``TypeError`` or ``ValueError`` for a room, a filter or a timeout that cannot be. A node that leaves or
    dies meanwhile is waited for no longer; one that starts meanwhile is not asked.
    """

    def fetch_sockets(
        self, room: Rooms | None = None, *, session: bool = True, **whom: Unpack[Whom]
    ) -> Stream[SocketInfo]:
        """Describe the connected clients of all nodes: an awaitable, also for ``async for``.

        Args:
            room: a room or sid, several, or None for the whole namespace.
            session: whether to fetch what ``save_session`` has stored too.
            whom: the arguments of ``Whom``. A node may take ``timeout`` seconds for each piece of its list,
                which has some hundred clients.

        Raises:
            PartialAnswer: a node did not answer in time, or a session cannot be packed; ``answer`` holds the
                clients that were described. In ``async for`` it comes at the end, when they were given.
        """
        question = FindSockets(check_flag("session", session))
        return self._stream(aim(room, **whom), lambda _: question, _socket)

    async def count(self, room: Rooms | None = None, **whom: Unpack[Whom]) -> int:
        """Count the connected clients. Each node sends only a number. Arguments as for ``fetch_sockets``."""
        return await self._ask(aim(room, **whom), CountSockets(), _sum)

    async def fetch_rooms(
        self, namespace: str | None = None, *, local: bool = False, timeout: float | None = None
    ) -> dict[Room, int]:
        """Return the rooms of a namespace with the number of clients in each.

        Rooms that are clients' own are left out. Arguments as for ``fetch_sockets``.
        """
        target = aim(namespace=namespace, local=local, timeout=timeout)
        return await self._ask(target, FindRooms(), _rooms)

    async def rooms_of(
        self, sid: str, namespace: str | None = None, *, timeout: float | None = None
    ) -> frozenset[Room]:
        """Return the rooms that a client of any node is in. Its own, named like its sid, is left out.

        Only the client's node is asked. Raises ``ValueError`` for an unknown sid, and one whose node is gone.
        """
        target, asker = aim(check_sid(sid), namespace=namespace, timeout=timeout), self.cluster_manager
        await asker.start()
        owner = await asker.remote.find(target.recipients.namespace, sid)
        target = target._replace(local=owner in (None, asker.node.id))  # Then no other node has to be known.

        def nodes(queries: Queries) -> list[str]:
            return [node for node in queries.everybody() if node == owner]

        def rooms(items: list[bytes]) -> frozenset[Room] | None:
            return next((one.rooms for one in map(_socket, items) if one.sid == sid), None)

        found = await self._ask(target, FindSockets(session=False), rooms, nodes)
        if found is None:
            raise ValueError(UNKNOWN_SID)
        return found

    async def sockets_join(self, rooms: Rooms, room: Rooms | None = None, **whom: Unpack[Whom]) -> int:
        """Put clients into rooms; returns how many. An emit made afterwards, by any node, sees it.

        ``rooms`` are those to enter; the other arguments are those of ``fetch_sockets``. Raises
        ``ValueError`` for a client's own room, and ``PartialAnswer`` too when clients are in as many rooms
        as they may be.
        """
        entered, target = check_rooms(rooms), aim(room, **whom)
        asker = self.cluster_manager
        if any(map(node_of, entered)):
            await asker.introduced(target.timeout or asker.options.request_seconds)
        else:
            await asker.start()
        for one in entered:
            if await asker.remote.is_client(target.recipients.namespace, one):
                raise ValueError("cannot enter a sid room")
        return await self._ask(target, JoinRooms(entered), _sum)

    async def sockets_leave(self, rooms: Rooms, room: Rooms | None = None, **whom: Unpack[Whom]) -> int:
        """Take clients out of rooms; returns how many were looked at. Arguments as for ``sockets_join``."""
        return await self._ask(aim(room, **whom), LeaveRooms(check_rooms(rooms)), _sum)

    async def disconnect_sockets(self, room: Rooms | None = None, **whom: Unpack[Whom]) -> int:
        """Disconnect clients from the namespace; returns how many, when their disconnect handlers have run.

        Arguments as for ``fetch_sockets``.
        """
        return await self._ask(aim(room, **whom), DisconnectSockets(), _sum)


def _sum(items: list[bytes]) -> int:
    return sum(map(_number, items))


def _rooms(items: list[bytes]) -> dict[Room, int]:
    total: Counter[Room] = Counter()
    for room, clients in map(_room, items):
        total[room] += clients
    return dict(total)
