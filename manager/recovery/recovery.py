"""``Recovery``: connection state recovery of one node. ``docs/recovery.md`` says what it promises."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from socketio import packet as sio

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.bus.envelope import Codec
from socketio_cluster.manager.bus.messages import Recorded
from socketio_cluster.manager.bus.store import Begin
from socketio_cluster.manager.clients.acks import abandon, seconds_of
from socketio_cluster.manager.clients.client import Callback, Client
from socketio_cluster.manager.clients.packets import Encoded
from socketio_cluster.manager.errors import BrokerError
from socketio_cluster.manager.recovery.agreement import Agreement
from socketio_cluster.manager.recovery.arrivals import Arrivals
from socketio_cluster.manager.recovery.client_session import TRANSPORT_CLOSE, ClientSession
from socketio_cluster.manager.recovery.follower import Follower
from socketio_cluster.manager.recovery.hiding import hide_pids
from socketio_cluster.manager.recovery.keeper import Keeper
from socketio_cluster.manager.recovery.latecomers import Latecomers
from socketio_cluster.manager.recovery.leases import Leases
from socketio_cluster.manager.recovery.offset import write_offset
from socketio_cluster.manager.recovery.read_events import TooLate
from socketio_cluster.manager.recovery.recording import post_recorded
from socketio_cluster.manager.recovery.replay import Replays, TooLarge
from socketio_cluster.manager.recovery.session_writer import SessionWriter
from socketio_cluster.manager.recovery.times import Times

if TYPE_CHECKING:
    from socketio_cluster.manager.client_manager import ClusterManager

logger = logging.getLogger("socketio_cluster.manager")

LOOK_SECONDS: Final = 0.2
"""How often the bus is asked whether a client is back that a call waits for."""
ECHO_SECONDS: Final = 1.0
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
        self._publisher = node.shards[0].publisher  # A bus with recovery has one shard.
        self._seconds = seconds
        self.keeper = Keeper(node)
        codec = Codec(manager.options.prefix, manager.options.secret)
        self.follower = Follower(manager, self.keeper, codec, self._bounds)
        self.agreement = Agreement(node, self.keeper)
        self.sessions = SessionWriter(manager, self)
        self.arrivals = Arrivals(manager, self)
        self._replays = Replays(manager, self.keeper, codec, self.follower.fanout)
        self.latecomers = Latecomers(manager, self.keeper, codec, self.follower)
        self._leases = Leases(manager, self)
        self._times: Times | None = None
        node.receiver.recorder = self.follower
        node.on_recorded(self.follower.posted)

    @property
    def times(self) -> Times:
        """The times that follow from the option and from the server's pings."""
        if self._times is None:  # A cached property would make every attribute here slower to read.
            engine = self._manager.host.engine
            self._times = Times(self._seconds, engine.ping_interval + engine.ping_timeout)
        return self._times

    def _bounds(self) -> Begin:
        return Begin(self.times.history, self._manager.options.recovery_bytes)

    def start(self) -> None:
        """Begin to renew sessions."""
        self._manager.host.engine.logger.addFilter(hide_pids)
        self._manager.spawn(self._leases.run())

    def close(self) -> None:
        """Stop reading the history."""
        self.follower.close()

    def node_here(self) -> None:
        """Look at a node that has come."""
        self._manager.spawn(self.agreement.node_here())

    # events

    def emit(self, message: Recorded, size: int) -> bool:
        """Publish an event of so many bytes, which the bus numbers and keeps.

        Returns whether the caller has to await ``ease``. Raises ``EventTooLarge``.
        """
        manager = self._manager
        post_recorded(self._node, message)
        manager.stats.emitted += 1
        return manager.backpressure.emitted(size) or self._publisher.crowded

    async def ease(self) -> None:
        """Wait while too many events wait for the bus, and let the loop write what has come back."""
        await self._publisher.wait_for_room()
        if self._manager.backpressure.due:
            await self._manager.backpressure.ease(0)

    async def in_order(self) -> None:
        """Wait until this node's recorded events are on the bus, and have come back if they are for it too.

        What comes behind them may not take their way: an event with an ack, or a join.
        """
        posted, coming = self.follower.newest, self.follower.coming
        if posted and self._node.ready:
            with suppress(TimeoutError, BrokerError):
                await asyncio.wait_for(self._node.publisher.sent(posted), ECHO_SECONDS)
            await self.follower.echoed(coming, ECHO_SECONDS)

    async def puts_off(
        self,
        encoded: Encoded,
        namespace: str,
        rooms: list[Room] | None,
        skip: list[str],
        callback: Callback | None,
    ) -> bool:
        """Prepare an event that is not recorded: find its client, and wait for the events before it.

        One that asks a client that is away waits in a task until it is back. Then this returns True.
        """
        await self.in_order()
        if callback is None or rooms is None or len(rooms) != 1:
            return False
        if await self._manager.remote.locate(namespace, rooms[0]):
            return False
        again = partial(self._manager.emit_encoded, encoded, namespace, rooms, skip, callback, False)
        self._manager.spawn(self._emit_later(namespace, rooms[0], callback, again))
        return True

    async def _emit_later(
        self, namespace: str, sid: Room, callback: Callback, emit: Callable[[], Awaitable[None]]
    ) -> None:
        seconds = seconds_of(callback, self._manager.options.ack_seconds) or self._seconds
        until = time.monotonic() + min(seconds, self._seconds)
        while time.monotonic() < until:  # A client that is back later is not asked: nobody waits any more.
            if await self._manager.remote.locate(namespace, sid):
                await emit()
                return
            await asyncio.sleep(LOOK_SECONDS)
        abandon(callback)

    # clients

    def recovered(self, sid: str) -> bool:
        """Whether a client of this node has its session back, instead of a new one."""
        client = self._manager.members.clients.get(sid)
        return client is not None and client.session is not None and client.session.recovered

    def introduce(self, packet: Any, eio_sid: str) -> None:
        """Put the pid into the answer to a client's CONNECT."""
        if packet.packet_type == sio.CONNECT and isinstance(packet.data, dict):
            client = self._manager.members.on_connection(eio_sid, packet.namespace or "/")
            if client is not None and client.session is not None:
                packet.data = {**packet.data, "pid": client.session.pid}

    def place_of(self, session: ClientSession) -> str:
        """Return the offset from which a client would go on that has had no event yet."""
        return write_offset(self.follower.order.epoch, session.position)

    def message_too_large(self, eio_sid: str) -> None:
        """Count the replays on a connection that has ended because a message was too large for its client."""
        for client in self._manager.members.of_connection(eio_sid):
            if client.session is not None and client.session.tried[1]:
                self._manager.spawn(self._count(client, client.session))

    async def _count(self, client: Client, session: ClientSession) -> None:
        with suppress(BrokerError):
            await self._replays.tell_tried(client, session)

    async def catch_up(self, client: Client, session: ClientSession) -> None:
        """Send a client that has come back what it has missed. If that fails, it has to connect anew."""
        try:
            await self._replays.replay(client, session)
        except TooLarge as error:
            logger.warning("client %s is cut off each time by %s: it gets a new session", client.sid, error)
            self._manager.stats.recoveries["large"] += 1
            session.over = True
            await self._manager.send_back(client.eio_sid, TRANSPORT_CLOSE)
        except (TooLate, BrokerError) as error:
            logger.info("client %s cannot have all that it missed: it has to connect again", client.sid)
            logger.debug("because: %r", error)
            self._manager.stats.recoveries["broken"] += 1
            session.over |= isinstance(error, TooLate)
            await self._manager.send_back(client.eio_sid, TRANSPORT_CLOSE)
