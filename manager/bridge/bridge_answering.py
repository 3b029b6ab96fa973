"""``BridgeAnswering``: answers questions of our nodes about clients with those of the foreign cluster."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TYPE_CHECKING

import msgspec

from socketio_cluster.manager.bridge.commands import Whom
from socketio_cluster.manager.bus.query_messages import Recipients
from socketio_cluster.manager.queries.answering import Answering
from socketio_cluster.manager.queries.conditions import fulfils
from socketio_cluster.manager.queries.socket_info import SocketInfo

if TYPE_CHECKING:
    from socketio_cluster.manager.bridge.bridge_manager import BridgeManager

pack = msgspec.msgpack.Encoder().encode


class BridgeAnswering(Answering):
    """Has no clients of its own, and asks the foreign servers. All else it answers as any node does."""

    _manager: BridgeManager

    async def _sockets(self, whom: Recipients, session: bool) -> AsyncGenerator[bytes]:
        async for client in self._foreign(whom):
            yield pack(client if session else msgspec.structs.replace(client, session=None))

    async def _rooms(self, namespace: str) -> AsyncGenerator[bytes]:
        rooms = Counter[object]()
        async for client in self._foreign(Recipients(namespace, None, [])):
            rooms.update(client.rooms)
        for item in rooms.items():
            yield pack(item)

    async def _count(self, whom: Recipients) -> int:
        return len([client async for client in self._foreign(whom)])

    async def _foreign(self, whom: Recipients) -> AsyncIterator[SocketInfo]:
        chosen = Whom(whom.namespace, whom.rooms, tuple(whom.except_))
        async for client in self._manager.hearer.foreign_clients(chosen):
            if fulfils(client.session, whom.where):
                yield client
