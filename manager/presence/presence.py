"""``Presence``: who is in which room, on all nodes together. This is what an application calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from socketio_cluster.manager.bus.channels import Room, check_room
from socketio_cluster.manager.bus.presence_messages import ChangePresence, CountPresence, FindPresence
from socketio_cluster.manager.bus.query_messages import Question, Recipients
from socketio_cluster.manager.checks import check_namespace, check_sid
from socketio_cluster.manager.errors import UNKNOWN_SID, NodeTimeout, refusal
from socketio_cluster.manager.presence.book import Book
from socketio_cluster.manager.presence.copies import read
from socketio_cluster.manager.presence.events import PresenceEvents
from socketio_cluster.manager.presence.handlers import Handlers
from socketio_cluster.manager.presence.held_room import HeldRoom, RoomId
from socketio_cluster.manager.presence.meta import Meta, check_key, pack_meta, unpack_meta

if TYPE_CHECKING:
    from socketio_cluster.manager.member import ClusterMember

_number: Final = msgspec.msgpack.Decoder(int).decode


class Presence(PresenceEvents):
    """Who is in which room.

    A *key* stands for somebody, such as a user's id, and each of its clients in the room has a *meta*, which
    is a dict. So several tabs of a user are one key with several metas. A sid may be that of a client of any
    node. ``namespace`` is "/" if None.

    Every method about a client raises ``ValueError`` for an unknown sid, ``NodeTimeout`` when its node does
    not answer, and ``TypeError`` or ``ValueError`` for a room, a key or a meta that cannot be.
    """

    def __init__(self, manager: ClusterMember) -> None:
        self._manager = manager
        self.handlers = Handlers()
        """The handlers of ``on_join`` and ``on_leave``."""

    async def track(
        self,
        sid: str,
        room: Room,
        key: str | int | None = None,
        meta: Meta | None = None,
        *,
        namespace: str | None = None,
    ) -> None:
        """Put a client into a room and let it be present there.

        It gets the event ``presence_state`` and later ``presence_diff``. It is present until it leaves the
        room, ``untrack`` is called, or ``presence_grace`` seconds after its connection was lost.

        Args:
            sid: the client.
            room: the room, which it enters as with ``enter_room``.
            key: who it is; its sid if None. An int stands for its digits.
            meta: what others shall know, as far as JSON can hold it; ``{}`` if None.
            namespace: "/" if None.

        Raises:
            TooManyRooms: the client is at its limit of rooms.
            ValueError: also for another client's own room.
        """
        check_sid(sid)  # It is the key too, unless there is another one.
        packed = pack_meta({} if meta is None else meta)
        await self._change(
            "track", sid, namespace, check_room(room), check_key(sid if key is None else key), packed
        )

    async def update(self, sid: str, room: Room, meta: Meta, *, namespace: str | None = None) -> None:
        """Change the meta of a client. Raises ``ValueError`` also for one that is not present."""
        await self._change("update", sid, namespace, check_room(room), None, pack_meta(meta))

    async def untrack(self, sid: str, room: Room | None = None, *, namespace: str | None = None) -> None:
        """Let a client not be present any more, in a room, or in all rooms of the namespace with None.

        It stays in the room and goes on to watch. A client that is not present stays so.
        """
        await self._change("untrack", sid, namespace, None if room is None else check_room(room))

    async def watch(self, sid: str, room: Room, *, namespace: str | None = None) -> None:
        """Put a client into a room, and tell it who is present, without its being present itself."""
        await self._change("watch", sid, namespace, check_room(room))

    async def list(self, room: Room, *, namespace: str | None = None) -> dict[str, list[Meta]]:
        """Return who is present in a room: the metas of each key.

        A node without clients in the room asks one that keeps it. Raises ``NodeTimeout`` if none answers.
        """
        place = check_namespace(namespace), check_room(room)
        await self._manager.start()
        held = await self._held(place)
        if held is not None:
            return _metas(held.book)
        book = Book()
        copy = read(await self._ask_keeper(place, FindPresence(keep=True))).get(place)
        for owner, each in copy.owners.items() if copy is not None else ():
            book.put(owner, 0, each.entries, ())
        return _metas(book)

    async def count(self, room: Room, *, namespace: str | None = None) -> int:
        """Return how many keys are present in a room. Only a number goes over the bus. Raises as ``list``."""
        place = check_namespace(namespace), check_room(room)
        await self._manager.start()
        held = await self._held(place)
        if held is not None:
            return len(held.book.keys)
        return sum(map(_number, await self._ask_keeper(place, CountPresence())))

    async def _change(
        self,
        verb: str,
        sid: str,
        namespace: str | None,
        room: Room | None,
        key: str | None = None,
        meta: bytes = b"",
    ) -> None:
        manager, namespace = self._manager, check_namespace(namespace)
        await manager.start()
        change = ChangePresence(check_sid(sid), verb, room, key, meta)
        if manager.members.find(sid, namespace) is not None:
            await manager.present.attendance.change(namespace, change)
            return
        await manager.remote.locate(namespace, sid)
        owner = manager.remote.owner_of(sid)
        if owner is None or owner == manager.node_id or not manager.node.knows(owner):
            raise ValueError(UNKNOWN_SID)
        whom = Recipients(namespace, [sid], [])
        with manager.queries.open([owner], whom, change) as asked:
            done = await asked.items()
        if asked.poll.failures:
            raise refusal(asked.poll.failures[owner])
        if asked.poll.missing:
            raise NodeTimeout(f"not confirmed by node {owner} within {asked.seconds:g} s")
        if not done:  # The node has gone meanwhile, and the client with it.
            raise ValueError(UNKNOWN_SID)

    async def _held(self, place: RoomId) -> HeldRoom | None:
        return await self._manager.present.answers.known(place)

    async def _ask_keeper(self, place: RoomId, question: Question) -> Sequence[bytes]:
        manager = self._manager
        keepers = manager.present.keepers.ring.keepers(*place)
        for keeper in keepers:
            whom, seconds = Recipients(place[0], [place[1]], []), manager.options.request_seconds
            with manager.queries.open([keeper], whom, question, seconds, patience=seconds) as asked:
                items = await asked.items()
            if manager.node.knows(keeper) and not asked.poll.missing and not asked.poll.failures:
                return items
        raise NodeTimeout(f"no answer about room {place[1]!r} from node {', '.join(keepers)}")


def _metas(book: Book) -> dict[str, list[Meta]]:
    return {key: list(map(unpack_meta, book.metas(key))) for key in book.keys}
