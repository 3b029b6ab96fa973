"""Tells the clients of this node who is present: first the state of a room, then what changes in it."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from socketio_cluster.manager.clients.outgoing import Outgoing
from socketio_cluster.manager.clients.packets import encode_event
from socketio_cluster.manager.presence.held_room import HeldRoom
from socketio_cluster.manager.presence.meta import REF, unpack_meta
from socketio_cluster.manager.presence.shown import Metas, Shown

if TYPE_CHECKING:
    from socketio_cluster.manager.member import ClusterMember

STATE: Final = "presence_state"
DIFF: Final = "presence_diff"
PIECE_KEYS: Final = 500
"""The most keys in one event, which then takes a millisecond to encode, as metas have some 50 bytes."""
KEYS_PER_SECOND: Final = 50_000
"""A room with so many keys sends one diff a second, a smaller one sends them more often in proportion.

So the bytes that diffs take grow with the room, and not with its square.
"""
LONGEST: Final = 1.0
"""The most seconds between two diffs: others should see soon that somebody has left."""


class Telling:
    """Sends presence to the clients of one node."""

    def __init__(self, manager: ClusterMember) -> None:
        self._manager = manager

    def turn(self, room: HeldRoom, changed: dict[str, None], now: float) -> None:
        """Begin to tell the clients about these keys, and newcomers about all. Times are in seconds."""
        if not room.watchers and not room.newcomers:
            room.shown = None
            return
        if room.shown is None:
            room.shown = Shown()
            changed = dict.fromkeys(room.book.keys)
        joins, leaves = room.shown.turn(changed, room.book.metas)
        room.due = now + min(LONGEST, len(room.shown.keys) / KEYS_PER_SECOND)
        watchers, newcomers = list(room.watchers), list(room.newcomers)
        room.watchers.update(newcomers)
        room.newcomers.clear()
        if newcomers or (watchers and (joins or leaves)):
            state = dict(room.shown.keys) if newcomers else {}
            room.telling = True
            self._manager.spawn(self._tell(room, watchers, (joins, leaves), newcomers, state))

    async def _tell(
        self,
        room: HeldRoom,
        watchers: list[str],
        diff: tuple[dict[str, Metas], dict[str, Metas]],
        newcomers: list[str],
        state: dict[str, Metas],
    ) -> None:
        try:
            for joins, leaves in _diffs(*diff) if watchers else ():
                await self._send(room, DIFF, {"joins": _filled(joins), "leaves": _filled(leaves)}, watchers)
            pieces = _pieces(state) or [{}]
            for number, piece in enumerate(pieces, 1) if newcomers else ():
                data = {"state": _filled(piece), "more": number < len(pieces)}
                await self._send(room, STATE, data, newcomers)
        finally:
            room.telling = False

    async def _send(self, room: HeldRoom, event: str, data: dict[str, Any], sids: list[str]) -> None:
        manager, (namespace, name) = self._manager, room.id
        encoded = encode_event(manager.server.packet_class, event, {"room": name, **data}, namespace)
        outgoing, reached = Outgoing(encoded, [name]), 0
        for sid in sids:
            client = manager.members.find(sid, namespace)
            if client is not None:
                client.send(outgoing)
                reached += 1
        manager.stats.delivered += reached
        if manager.backpressure.emitted(encoded.size):
            await manager.backpressure.ease(reached)


def _pieces(keys: dict[str, Metas]) -> list[dict[str, Metas]]:
    items = iter(keys.items())
    return list(iter(lambda: dict(islice(items, PIECE_KEYS)), {}))


def _diffs(
    joins: dict[str, Metas], leaves: dict[str, Metas]
) -> list[tuple[dict[str, Metas], dict[str, Metas]]]:
    """Return a diff as one or several.

    In several, joins come first, so that a key whose meta changes does not seem to be gone in between.
    """
    if len(joins) + len(leaves) <= PIECE_KEYS:
        return [(joins, leaves)]
    return [(piece, {}) for piece in _pieces(joins)] + [({}, piece) for piece in _pieces(leaves)]


def _filled(keys: dict[str, Metas]) -> dict[str, Any]:
    """Return what stands in an event: for each key its metas with their references."""
    return {
        key: {"metas": [{**unpack_meta(meta), REF: ref} for ref, meta in metas.items()]}
        for key, metas in keys.items()
    }
