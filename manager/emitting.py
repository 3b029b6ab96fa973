"""``EmittingMember``: the methods of a client manager that emit, to the clients of any node."""

from __future__ import annotations

from typing import Any, Unpack

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.bus.messages import Emit, Recorded
from socketio_cluster.manager.checks import room_list, skip_list
from socketio_cluster.manager.clients.acks import AckWaiter
from socketio_cluster.manager.clients.backpressure import Backpressure
from socketio_cluster.manager.clients.client import Callback
from socketio_cluster.manager.clients.packets import Encoded, encode_event, shared_ack_id
from socketio_cluster.manager.queries.selection import Chosen, choose
from socketio_cluster.manager.room_keeper import RoomKeeper
from socketio_cluster.manager.short_emit import ShortEmit, short_emit


class EmittingMember(RoomKeeper):
    """A member of the cluster that emits."""

    backpressure: Backpressure
    """Holds up emits for clients that are behind."""
    _short_emit: ShortEmit | None
    """What most emits need, in C; None where that cannot be, and before the node has started."""

    def _come_home(self) -> None:
        super()._come_home()
        self._short_emit = short_emit(self) if self.server is not None else None

    def _leave_home(self) -> None:
        super()._leave_home()
        self._short_emit = None

    async def emit(
        self,
        event: str,
        data: Any,
        namespace: str,
        room: Any = None,
        skip_sid: Any = None,
        callback: Callback | None = None,
        to: Any = None,
        *,
        ignore_queue: bool = False,
        **chosen: Unpack[Chosen],
    ) -> None:
        """Emit to everybody in the namespace, to a room, to a list of rooms or to a sid, on every node.

        The clients of this node are served at once, whether the bus is reached or not. It returns before the
        bus has the event. Raises what the serializer raises for data that it cannot encode, and
        ``EventTooLarge``, before anybody gets the event, for more bytes than the bus or buffer can hold.
        ``chosen`` are the arguments of ``Chosen``, which are checked as those of a question.
        """
        short = self._short_emit
        if short is not None and callback is None and skip_sid is None and not (ignore_queue or chosen):
            slow = short(event, data, namespace, room if to is None else to)
            if slow is not None:
                if slow:
                    await (self._ease(*slow) if self.recovery is None else self.recovery.ease())
                return
        if chosen:
            target, volatile = choose(room if to is None else to, skip_sid, namespace, ignore_queue, **chosen)
            emits = self.selective_emits
            selected = emits.encode(event, data, target, callback)
            await emits.emit(selected, target, callback, volatile=volatile)
            return
        rooms, skip = room_list(room if to is None else to), skip_list(skip_sid)
        ack_id = 0 if callback is None else shared_ack_id()
        encoded = encode_event(self.server.packet_class, event, data, namespace, ack_id)
        await self.emit_encoded(encoded, namespace, rooms, skip, callback, ignore_queue)

    async def emit_encoded(
        self,
        encoded: Encoded,
        namespace: str,
        rooms: list[Room] | None,
        skip: list[str],
        callback: Callback | None,
        ignore_queue: bool,
    ) -> None:
        """Emit an encoded event. With ``ignore_queue`` only the clients of this node get it.

        ``native/_emit.c`` does the same for most emits, so change both.

        Waits while many events wait for the bus, and a little for a single client that is behind. If this
        is cancelled while it waits for these, the event is sent nevertheless.
        """
        if not self._at_home():
            await self.start()
        if self.recovery is not None:
            if callback is None and not ignore_queue:
                event = Emit(namespace, rooms, skip, encoded.parts, encoded.text)
                if self.recovery.emit(Recorded(event), encoded.size):
                    await self.recovery.ease()
                return
            if await self.recovery.puts_off(encoded, namespace, rooms, skip, callback):
                return
        # First the bus: an event that it cannot hold raises here, before anybody has got it.
        number = None if ignore_queue else self.remote.emit(encoded, namespace, rooms, skip, callback)
        self.stats.emitted += 1
        reached = self.fanout.deliver(encoded, namespace, rooms, skip, callback)
        if callback is not None and number is not None:
            self.expiry.start()
            if isinstance(callback, AckWaiter) and not reached and (not number or self._is_gone(rooms)):
                callback.abandon()
        due = self.backpressure.emitted(encoded.size)
        if due or (number is not None and self.node.publisher.crowded(number)):
            await self._ease(number, reached)

    async def _ease(self, number: int | None, reached: int) -> None:
        """Wait as an emit without recovery does. One for the clients of this node alone has no number."""
        if number is not None:
            await self.node.publisher.wait_for_room(number)
        if self.backpressure.due:
            await self.backpressure.ease(reached)

    def _is_gone(self, rooms: list[Room] | None) -> bool:
        """Whether the only room has the form of a sid of this node, so that no other node has that client."""
        return rooms is not None and len(rooms) == 1 and self.remote.owner_of(rooms[0]) == self.node.id
