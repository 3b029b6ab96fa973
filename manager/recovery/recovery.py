"""``Recovery``: connection state recovery of one node. ``docs/recovery.md`` says what it promises."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import msgspec
from socketio import packet as sio

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.bus.envelope import Codec
from socketio_cluster.manager.bus.messages import Emit, Recorded
from socketio_cluster.manager.bus.query_messages import Recipients
from socketio_cluster.manager.bus.store import Begin, Change, Open, Release
from socketio_cluster.manager.clients.packets import Encoded
from socketio_cluster.manager.clients.rooms import Client
from socketio_cluster.manager.errors import BrokerError
from socketio_cluster.manager.ids import node_of
from socketio_cluster.manager.recovery.arrivals import Arrivals
from socketio_cluster.manager.recovery.client_session import TRANSPORT_CLOSE, ClientSession, write_room
from socketio_cluster.manager.recovery.follower import Follower
from socketio_cluster.manager.recovery.keeper import Keeper
from socketio_cluster.manager.recovery.leases import Leases
from socketio_cluster.manager.recovery.pid import digest
from socketio_cluster.manager.recovery.replay import Replays, TooLate
from socketio_cluster.manager.recovery.routes import route
from socketio_cluster.manager.recovery.times import Times

if TYPE_CHECKING:
    from socketio_cluster.manager.client_manager import ClusterManager

logger = logging.getLogger("socketio_cluster.manager")

ECHO_SECONDS: Final = 5.0
"""How long an event that is not recorded waits for the recorded ones before it, which are on the bus."""


class Recovery:
    """Records the events of one node, and gives clients that come back what they had.

    Args:
        manager: the manager of the clients.
        seconds: how long a client may be away.
    """

    def __init__(self, manager: ClusterManager, seconds: float) -> None:
        self._manager = manager
        self._node = node = manager.node
        self._seconds = seconds
        self.keeper = Keeper(node)
        codec = Codec(manager.options.prefix, manager.options.secret)
        self.follower = Follower(manager, self.keeper, codec, self._bounds)
        self.arrivals = Arrivals(manager, self)
        self._replays = Replays(manager, self.keeper, codec, self.follower.fanout)
        self._leases = Leases(manager, self)
        self._posted = 0
        node.receiver.recorder = self.follower

    @cached_property
    def times(self) -> Times:
        """The times that follow from the option and from the server's pings."""
        return Times(self._seconds, self._manager.ping_seconds)

    def _bounds(self) -> Begin:
        return Begin(self.times.history, self._manager.options.recovery_bytes)

    def start(self) -> None:
        """Begin to renew sessions."""
        self._manager.spawn(self._leases.run())

    def close(self) -> None:
        """Stop reading the history."""
        self.follower.close()

    # events

    async def emit(self, encoded: Encoded, whom: Recipients, skip: list[str]) -> None:
        """Publish an event that the bus numbers and keeps. Waits while the buffer for the bus is full.

        Raises ``EventTooLarge``.
        """
        manager, publisher = self._manager, self._node.publisher
        event = Emit(whom.namespace, whom.rooms, skip, *encoded[:2])
        where = route(self._node.channels, whom.namespace, whom.rooms)
        recorded = Recorded(event, whom.except_, whom.where)
        self._posted = publisher.post(recorded, where.channels, where.recorded)
        manager.stats.emitted += 1
        if publisher.full:
            await publisher.wait_for_capacity()
        if manager.backpressure.emitted(encoded.size):
            await manager.backpressure.ease(0)

    async def in_order(self) -> None:
        """Wait until this node's recorded events have come back, before one that does not take their way."""
        if self._posted and self._node.ready:
            await self.follower.echoed(self._posted, ECHO_SECONDS)

    # clients

    def recovered(self, sid: str) -> bool:
        """Whether a client of this node has its session back, instead of a new one."""
        client = self._manager.members.clients.get(sid)
        return client is not None and client.session is not None and client.session.joined is not None

    def introduce(self, packet: Any, eio_sid: str) -> None:
        """Put the pid into the answer to a client's CONNECT."""
        if packet.packet_type == sio.CONNECT and isinstance(packet.data, dict):
            client = self._manager.members.on_connection(eio_sid, packet.namespace or "/")
            if client is not None and client.session is not None:
                packet.data = {**packet.data, "pid": client.session.pid}

    async def catch_up(self, client: Client, session: ClientSession) -> None:
        """Send a client that has come back what it has missed. If that fails, it has to connect anew."""
        try:
            await self._replays.replay(client, session)
        except (TooLate, BrokerError) as error:
            logger.info("client %s cannot have all that it missed: it has to connect again", client.sid)
            logger.debug("because: %r", error)
            self._manager.stats.recoveries["broken"] += 1
            await self._manager.send_back(client.eio_sid, TRANSPORT_CLOSE)

    def left(self, client: Client) -> None:
        """Note that a client is gone from this node."""
        session = client.session
        if session is None:
            return
        if node_of(client.sid) != self._manager.node_id:
            self._node.unsubscribe(self._node.channels.room(client.namespace, client.sid))
        seconds = 0.0 if session.over else self.times.away
        self._manager.spawn(self._release(Release(client.sid, session.claim, seconds)))

    async def _release(self, release: Release) -> None:
        try:
            await self.keeper.release(release)
        except BrokerError as error:
            logger.debug("the session of %s ends by itself: %s", release.sid, error)

    # what belongs to a session

    async def entered(self, client: Client, room: Room) -> None:
        """Note on the bus that a client is in a room."""
        await self._change(client, entered=[write_room(room)])

    async def gone_from(self, client: Client, room: Room) -> None:
        """Note on the bus that a client is no longer in a room."""
        await self._change(client, left=[write_room(room)])

    async def saved(self, client: Client, data: Any) -> None:
        """Note on the bus what the application has saved for a client."""
        packed, session = pack(data), client.session
        if packed is None and session is not None:
            logger.error("client %s cannot come back: MessagePack cannot hold its session's data", client.sid)
            session.over = True
            await self._release(Release(client.sid, session.claim, 0))
        else:
            await self._change(client, data=packed)

    async def _change(self, client: Client, **what: Any) -> None:
        session = client.session
        if session is None or session.over:
            return
        try:
            if not await self.keeper.change(Change(client.sid, session.claim, **what)):
                session.written = False
        except BrokerError:
            session.written = False  # The next renewal writes it anew.

    async def write(self, client: Client, session: ClientSession) -> None:
        """Write a session anew, because the bus does not have it as it is. Raises ``BrokerError``."""
        connection = self._manager.host.connection(client.eio_sid)
        data = connection.sessions.get(client.namespace) if connection is not None else None
        rooms = {write_room(room): session.position for room in client.rooms}
        await self.keeper.open(
            Open(
                client.sid,
                digest(session.pid),
                client.namespace,
                self._manager.node_id,
                session.claim,
                self.times.session,
                session.position,
                rooms,
                (pack(data) or b"") if data else b"",
            )
        )
        session.written = True


def pack(data: Any) -> bytes | None:
    """Return a session's data as bytes, or None for data that MessagePack cannot hold."""
    try:
        return msgspec.msgpack.encode(data)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return None
