"""``Keeper``: what the bus keeps for this cluster, with one method for each operation of ``store.py``."""

from __future__ import annotations

from typing import cast

from socketio_cluster.manager.bus.node import Node
from socketio_cluster.manager.bus.store import (
    Change,
    Claim,
    Claimed,
    CloseRoom,
    Gap,
    Look,
    Open,
    Operation,
    Piece,
    Place,
    Read,
    Release,
    Renew,
    Result,
    Tail,
    Where,
    cluster_of,
)
from socketio_cluster.manager.errors import BrokerError


class Keeper:
    """Asks the bus of a node. Every method raises ``BrokerError`` if the bus is away."""

    def __init__(self, node: Node) -> None:
        self._link = node.link
        self._cluster = cluster_of(node.channels.everyone)

    async def place(self) -> Place | None:
        """Return where the history is, or None if nobody has begun one."""
        return cast(Place | None, await self._ask(Look()))

    async def open(self, session: Open) -> Place:
        """Make a session, or write it anew."""
        return cast(Place, await self._ask(session))

    async def claim(self, claim: Claim) -> Claimed | str | None:
        """Take a session over, or return why not."""
        return cast(Claimed | str | None, await self._ask(claim))

    async def change(self, change: Change) -> int:
        """Change a session. Returns the last number, or 0 if it is not there, or not this owner's."""
        return int(cast(int, await self._ask(change)))

    async def renew(self, renew: Renew) -> list[str]:
        """Let sessions live on. Returns the sids of those that are not there, or not this owner's."""
        return cast(list[str], await self._ask(renew))

    async def release(self, release: Release) -> bool:
        """Note that a client is away or gone. Returns False if the session is not this owner's."""
        return bool(await self._ask(release))

    async def where(self, sid: str, namespace: str) -> str | None:
        """Return the node that has a client; an empty text while it is away, None if it is unknown."""
        return cast(str | None, await self._ask(Where(sid, namespace)))

    async def read(self, read: Read) -> Piece:
        """Return some events of the history."""
        return cast(Piece, await self._ask(read))

    async def tail(self, tail: Tail) -> Piece:
        """Return the last events of a room."""
        return cast(Piece, await self._ask(tail))

    async def gap(self) -> None:
        """Note that events may be missing in the history."""
        await self._ask(Gap())

    async def close(self, channel: str) -> None:
        """Take all sessions out of the room with this channel."""
        await self._ask(CloseRoom(channel))

    async def _ask(self, operation: Operation) -> Result:
        if self._link is None:
            raise BrokerError("there is no bus")
        return await self._link.ask(self._cluster, operation)
