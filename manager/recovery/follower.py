"""``Follower``: handles the cluster's events in their one order, those too that it missed while cut off."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from socketio_cluster.manager.bus.broker import Broker
from socketio_cluster.manager.bus.envelope import Codec
from socketio_cluster.manager.bus.messages import Dropped, Recorded
from socketio_cluster.manager.bus.receiver import Event
from socketio_cluster.manager.bus.store import Begin, Place, Read, Store, cluster_of
from socketio_cluster.manager.clients.client import Client
from socketio_cluster.manager.clients.packets import Encoded, check_readable
from socketio_cluster.manager.errors import BrokerError, EnvelopeError
from socketio_cluster.manager.queries.selection import is_meant, select
from socketio_cluster.manager.recovery.client_session import TRANSPORT_CLOSE
from socketio_cluster.manager.recovery.keeper import Keeper
from socketio_cluster.manager.recovery.losing import Losing
from socketio_cluster.manager.recovery.marking import MarkingFanout
from socketio_cluster.manager.recovery.order import Order, begun_since
from socketio_cluster.manager.recovery.own_events import OwnEvents
from socketio_cluster.manager.tasks import set_once

if TYPE_CHECKING:
    from socketio_cluster.manager.client_manager import ClusterManager

logger = logging.getLogger("socketio_cluster.manager")

PIECE_EVENTS: Final = 500
PIECE_BYTES: Final = 512 * 1024
"""The most events and bytes that are read at once: a few milliseconds of work."""
SENDERS: Final = 10_000
"""The most senders whose last events are remembered, about 150 bytes each."""


class Follower:
    """Delivers numbered events to the clients of one node.

    Args:
        manager: the manager of the clients.
        keeper: what the bus keeps.
        codec: reads envelopes.
        bounds: returns how long and how much history is to be kept.
    """

    __slots__ = (
        "_bounds",
        "_codec",
        "_delivered",
        "_echoed",
        "_interest",
        "_keeper",
        "_losing",
        "_manager",
        "_members",
        "_node_id",
        "_own_events",
        "_place",
        "_reading",
        "_stats",
        "_turn",
        "coming",
        "fanout",
        "newest",
        "order",
        "own",
    )

    def __init__(
        self, manager: ClusterManager, keeper: Keeper, codec: Codec, bounds: Callable[[], Begin]
    ) -> None:
        self._manager = manager
        self._node_id = manager.node_id
        self._members = manager.members
        self._stats = manager.stats
        self._interest = manager.node.interest
        self._keeper = keeper
        self._codec = codec
        self._bounds = bounds
        self.order: Order[Event] = Order()
        self.fanout = MarkingFanout(manager, self.order)
        self._place = Place("", 0, 0)
        self._reading: asyncio.Task[None] | None = None
        self._losing = Losing(manager, keeper)
        self._own_events = OwnEvents()
        self.own = self._own_events.take
        self.newest = 0
        """The number, in the stream of this node, of the newest event that the bus is to number."""
        self.coming = 0
        """The number of the newest one of them that comes back to this node."""
        self._echoed = 0
        self._delivered: dict[str, int] = {}
        """The number of the last event of each sender, in its stream."""
        self._turn: asyncio.Future[None] | None = None

    # called by the node

    @property
    def history(self) -> str:
        """The epoch of the history that keeps this node's events."""
        return self._place.epoch if self.order.behind else self.order.epoch

    async def begin(self, broker: Broker) -> float | None:
        """Begin on a new broker. See ``Recorder.begin``."""
        if not isinstance(broker, Store):
            raise BrokerError("this bus keeps no history, which recovery_seconds needs")
        cluster, now = cluster_of(self._manager.node.channels.everyone), time.monotonic()
        place = await broker.ask(cluster, self._bounds())
        assert isinstance(place, Place)
        self._place = place
        return begun_since(self.order.epoch, place, now)

    def joined(self) -> None:
        """Read what was missed, in a task."""
        self._reading = asyncio.get_running_loop().create_task(self._catch_up())

    def parted(self) -> None:
        """Hold live events from now on: some may be missed."""
        self.order.cut()
        self._next_turn()
        self.close()

    def close(self) -> None:
        """Stop reading."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def posted(self, envelope: bytes, event: Event, channels: tuple[str, ...]) -> None:
        """Remember an event of this node that comes back to it: one to a channel that it reads."""
        self.newest = event[0].number
        if not self._interest.wanted.isdisjoint(channels):
            self._own_events.posted(envelope, event)
            self.coming = self.newest

    def recording_parts(self) -> dict[str, Any]:
        """Return the objects with which ``native/_emit.c`` does as ``posted``, by their names there."""
        return {"follower": self, "own_events": self._own_events}

    def numbered(self, epoch: str, number: int, event: Event, size: int) -> None:
        """Handle a live event. Raises ``EnvelopeError`` for one that no client could read."""
        if self.order.live(epoch, number, event, size):
            self._deliver(number, event)

    def native_parts(self) -> dict[str, Any]:
        """Return what ``native/_hear.c`` works with, by the names there. It does as ``numbered``."""
        own = self._own_events.native_parts()
        return {**own, **self.fanout.native_parts(), "follower": self, "delivered": self._delivered}

    # for those who emit

    async def echoed(self, number: int, seconds: float) -> None:
        """Return when the event with this number in the node's own stream was delivered, or could not be."""
        try:
            async with asyncio.timeout(seconds):
                while self._echoed < number and not self.order.behind:
                    if self._turn is None:
                        self._turn = asyncio.get_running_loop().create_future()
                    await asyncio.shield(self._turn)
        except TimeoutError:
            logger.debug("event %d did not come back from the bus", number)

    def _next_turn(self) -> None:
        if self._turn is not None:
            set_once(self._turn, None)
            self._turn = None

    # events

    def _deliver(self, number: int, event: Event) -> None:
        """Hand an event to its clients. In one piece: in most cases a call would cost as much as it does."""
        header, message = event
        origin, delivered = header.origin, self._delivered
        if header.number <= delivered.get(origin, 0):
            return  # It came from a former server of the bus too, before it was sent again at this one.
        delivered[origin] = header.number
        if len(delivered) > SENDERS:
            del delivered[next(iter(delivered))]
        if isinstance(message, Recorded):
            emit = message.event
            parts = emit.parts
            if not (parts and parts[0].isascii()):
                check_readable(parts, emit.text)
            if message.except_ or message.where:
                clients = self._chosen(message)
            else:
                clients = self._members.members(emit.namespace, emit.rooms)
            if emit.skip:
                clients = [client for client in clients if client.sid not in emit.skip]
            if clients:
                self.fanout.send_numbered(clients, Encoded(parts, emit.text), emit.rooms, number)
                self._stats.delivered += len(clients)
        else:
            self._losing.heard(origin, message)
        if origin == self._node_id:
            self._echoed = header.number
            if self._turn is not None:
                self._next_turn()

    def _chosen(self, message: Recorded) -> Sequence[Client]:
        whom = message.recipients
        clients = select(self._manager, whom)
        return [client for client in clients if is_meant(self._manager, client, whom)]

    def _try_deliver(self, number: int, event: Event) -> None:
        try:
            self._deliver(number, event)
        except EnvelopeError as exc:
            logger.warning("an event of node %s cannot be delivered: %s", event[0].origin, exc)

    async def _catch_up(self) -> None:
        order = self.order
        try:
            if not order.epoch:
                order.begin(self._place)
            elif not order.reaches_back(self._place):
                await self._lose()
            while order.behind:
                await self._read()
        except BrokerError as error:
            logger.debug("the bus went away under way: %s", error)

    async def _read(self) -> None:
        """Read what comes after the last event that was handled, and go on with those that were held."""
        order = self.order
        done = False
        while not done:
            piece = await self._keeper.read(Read(None, order.seen, PIECE_EVENTS, PIECE_BYTES))
            if not order.reaches_back(piece.place):
                await self._lose()
                continue
            for number, raw in piece.events:
                self._take(number, raw)
            order.seen, done = max(order.seen, piece.upto), piece.done
        for number, event in order.release():
            self._try_deliver(number, event)

    def _take(self, number: int, raw: bytes) -> None:
        self.order.seen = number
        try:
            header, message = self._codec.header(raw), self._codec.message(raw)
            if isinstance(message, (Recorded, Dropped)):
                self._deliver(number, (header, message))
        except EnvelopeError as exc:
            logger.warning("event %d of the history is refused: %s", number, exc)

    async def _lose(self) -> None:
        """Start anew behind events that are lost to this node, and tell those who may have needed them."""
        logger.error("events are lost: the bus has not kept them; clients are told")
        self._manager.stats.gaps += 1
        place = await self._keeper.place()
        self.order.begin(place or self._place)
        connections = {client.eio_sid for client in self._manager.members.clients.values() if client.session}
        for eio_sid in connections:
            await self._manager.send_back(eio_sid, TRANSPORT_CLOSE)
