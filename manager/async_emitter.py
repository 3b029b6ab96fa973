"""``AsyncEmitter``: emits events and changes rooms from an asyncio program that serves no clients."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Any, Unpack

from socketio_cluster.manager.bus import query_messages
from socketio_cluster.manager.bus.channels import Room, check_room
from socketio_cluster.manager.bus.messages import Message, Reply
from socketio_cluster.manager.bus.node import Node
from socketio_cluster.manager.bus.query_messages import Finding
from socketio_cluster.manager.bus.registry import safe_url
from socketio_cluster.manager.checks import check_namespace, room_list, skip_list
from socketio_cluster.manager.clients.packets import PacketClass, encode_event, packet_format
from socketio_cluster.manager.errors import BrokerError, SettingError
from socketio_cluster.manager.host.strict_packet import strict_packet_class
from socketio_cluster.manager.loops import OwnLoop
from socketio_cluster.manager.option_values import OptionValues
from socketio_cluster.manager.options import from_environment
from socketio_cluster.manager.queries.calls import EmitterCalls
from socketio_cluster.manager.queries.emitter_emits import EmitterEmits
from socketio_cluster.manager.queries.queries import Queries
from socketio_cluster.manager.queries.selection import Chosen, choose
from socketio_cluster.manager.recovery.keeper import Keeper
from socketio_cluster.manager.recovery.locating_remote import LocatingRemote
from socketio_cluster.manager.recovery.recording import Recording
from socketio_cluster.manager.remote import Remote
from socketio_cluster.manager.stats import Stats

Recipients = Room | list[Room] | tuple[Room, ...] | set[Room] | None
"""The recipients of an event: a sid, a room, several of them, or None for everybody."""


class AsyncEmitter(EmitterCalls):
    """Emits to the clients of a cluster, and moves them between rooms, from an asyncio program.

    It connects to the bus with its first call, or with ``async with``, and then belongs to the event loop of
    that call. While that loop runs in another thread, calls raise ``RuntimeError``. After ``close()``, or in
    another event loop after that one has ended, the next call connects again.

    Args:
        url: the bus, as for ``ClusterManager``. Without it the setting ``CLUSTER_BUS`` is used.
        serializer: the serializer of the servers: "default", "msgpack" or a packet class.
        json: the JSON module of the servers, with ``dumps`` and ``loads``.
        timeout: the seconds within which the bus must have an event.
        options: the fields of ``socketio_cluster.Options``. ``prefix`` and ``secret`` must be those of the
            cluster.

    Raises:
        SettingError: no bus is named, or a setting cannot work.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        serializer: str | PacketClass = "default",
        json: Any = None,
        timeout: float = 5.0,
        **options: Unpack[OptionValues],
    ) -> None:
        self.options = from_environment(url, options)
        if self.options.url is None:
            raise SettingError("an emitter needs a bus: give its URL, or set CLUSTER_BUS")
        if timeout <= 0:
            raise SettingError(f"timeout must be more than 0 seconds, not {timeout}")
        self.stats = Stats()
        self.client_count = 0
        self.packet_class = strict_packet_class(packet_format(serializer, json))
        """The packet format of the servers."""
        self.selective_emits = EmitterEmits(self)
        self._timeout = timeout
        self._own_loop = OwnLoop()
        self._starting: asyncio.Future[None] | None = None

    async def __aenter__(self) -> AsyncEmitter:
        """Connect to the bus. Raises ``BrokerError`` if it is not reached in time."""
        await self._remote_nodes()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def emit(
        self,
        event: str,
        data: Any = None,
        to: Recipients = None,
        room: Recipients = None,
        skip_sid: str | list[str] | None = None,
        namespace: str | None = None,
        **chosen: Unpack[Chosen],
    ) -> None:
        """Emit as ``AsyncServer.emit``, and return when the bus has the event.

        It does not wait until clients have got it. Raises ``BrokerError`` if the bus does not have the event
        within ``timeout`` seconds. The event is then never sent, unless the error says that it may have been.
        If this is cancelled, the event is withdrawn if it has not been sent yet. Raises ``EventTooLarge`` for
        more bytes than the bus or ``buffer_bytes`` can hold, and what the serializer raises for data that it
        cannot encode. With ``local`` nobody gets it.
        """
        if chosen:
            target, volatile = choose(room if to is None else to, skip_sid, namespace, **chosen)
            selected = self.selective_emits.encode(event, data, target, None)
            await self.selective_emits.emit(selected, target, volatile=volatile)
            return
        namespace, rooms = check_namespace(namespace), room_list(room if to is None else to)
        encoded, skip = encode_event(self.packet_class, event, data, namespace), skip_list(skip_sid)

        def post() -> int:
            if self.recording.on:
                return self.recording.post(encoded, query_messages.Recipients(namespace, rooms, []), skip)
            return self.remote.emit(encoded, namespace, rooms, skip)

        await self.publish(post)

    async def send(
        self,
        data: Any,
        to: Recipients = None,
        room: Recipients = None,
        skip_sid: str | list[str] | None = None,
        namespace: str | None = None,
        **chosen: Unpack[Chosen],
    ) -> None:
        """Emit the event ``message``, as ``emit``."""
        await self.emit("message", data, to, room, skip_sid, namespace, **chosen)

    async def enter_room(self, sid: str, room: Room, namespace: str | None = None) -> None:
        """Put a client into a room. An emit that is made after the return reaches it.

        Raises ``ValueError`` for an unknown sid, ``NodeTimeout`` if its node does not confirm in time, and
        ``BrokerError`` if the bus is not reached.
        """
        room = check_room(room)
        remote = await self._remote_nodes()
        await remote.enter(check_namespace(namespace), sid, room)

    async def leave_room(self, sid: str, room: Room, namespace: str | None = None) -> None:
        """Take a client out of a room. Raises ``NodeTimeout`` and ``BrokerError`` as ``enter_room`` does."""
        room = check_room(room)
        remote = await self._remote_nodes()
        await remote.leave(check_namespace(namespace), sid, room)

    async def close_room(self, room: Room, namespace: str | None = None) -> None:
        """Take all clients out of a room. Raises ``NodeTimeout`` and ``BrokerError`` as ``enter_room`` does.

        Raises ``ValueError`` for a client's own room. The emitter has to know every node first. So a first
        call waits until one heartbeat (2 s) has passed since the start.
        """
        room = check_room(room)
        await self.start()
        if await self.remote.is_client(check_namespace(namespace), room):
            raise ValueError("cannot close a sid room")
        await self.remote.close(check_namespace(namespace), room)

    async def disconnect(self, sid: str, namespace: str | None = None) -> None:
        """Disconnect a client. Raises ``NodeTimeout`` and ``BrokerError`` as ``enter_room`` does."""
        remote = await self._remote_nodes()
        await remote.disconnect(check_namespace(namespace), sid)

    async def close(self) -> None:
        """Leave the bus. Calls that still wait raise ``BrokerError``."""
        self._settle()
        starting, self._starting = self._starting, None
        if starting is not None:
            starting.cancel()
            await self.node.close()

    # called by the node

    def heard(self, origin: str, message: Message) -> None:
        """Handle the answers of other nodes. Events are ignored, because an emitter serves no clients."""
        match message:
            case Reply():
                self.remote.replied(origin, message)
            case Finding():
                self.queries.said(origin, message)

    def node_here(self, node: str, *, greets: bool) -> None:
        """Do nothing: calls go to the nodes that are there when they are made."""

    def node_gone(self, node: str, *, died: bool) -> None:
        """Stop waiting for a node that has left or died."""
        self.remote.node_gone(node)
        self.queries.node_gone(node)

    # the bus

    async def start(self) -> None:
        """Connect to the bus, and wait until every live node has had the time to say that it is there.

        That is one heartbeat (2 s) after the connection was made. Raises ``BrokerError`` if the bus is not
        reached in time. Questions to all nodes do this by themselves.
        """
        await self._remote_nodes()
        if not await self.node.introduced(self._timeout):
            raise self._away("nothing was done")

    async def introduced(self, seconds: float) -> bool:
        """Do as ``start``, and return True."""
        await self.start()
        return True

    async def publish(self, post: Callable[[], int]) -> None:
        """Reach the bus, call ``post``, and return when the bus has the envelope whose number it returns."""
        number = 0
        try:
            async with asyncio.timeout(self._timeout):
                await self._reach()
                await self.recording.agree()
                number = post()
                if number and not await self.node.publisher.sent(number):
                    raise BrokerError("the buffer is full: the event was not sent")
        except (TimeoutError, asyncio.CancelledError) as exc:
            # The event is withdrawn even if the caller was cancelled, because it does not want it any more.
            unsent = number == 0 or self.node.publisher.withdraw(number)
            if isinstance(exc, TimeoutError):
                raise self._away(
                    "the event was not sent" if unsent else "the event may have been sent"
                ) from None
            raise

    async def _remote_nodes(self) -> Remote:
        try:
            async with asyncio.timeout(self._timeout):
                await self._reach()
                await self.node.reached()
        except TimeoutError:
            raise self._away("nothing was done") from None
        return self.remote

    async def _reach(self) -> None:
        """Start the node if necessary, and wait for the bus: for one of its shards if it has several.

        Nothing is posted before the bus is reached: the first message of a new sender must be its hello.
        """
        self._settle()
        if self._starting is None:
            self.node = Node(self.options, self, self.stats, serving=False)
            keeper = Keeper(self.node)
            self.recording = Recording(self.node, keeper)
            self.node.receiver.recorder = self.recording
            self.remote = LocatingRemote(self.node, keeper, lambda: self.recording.on)
            self.queries = Queries(self.node, None)
            self._starting = asyncio.get_running_loop().create_task(
                self.node.start(self._timeout), context=Context()
            )
        starting = self._starting
        if not starting.done():
            reached = asyncio.ensure_future(self.node.reached_any())
            try:
                await asyncio.wait([starting, reached], return_when=asyncio.FIRST_COMPLETED)
            finally:
                reached.cancel()
        if starting.cancelled():
            raise BrokerError("the emitter was closed meanwhile")
        if starting.done():
            starting.result()
        await self.node.reached_any()

    def _settle(self) -> None:
        if self._own_loop.entered():
            self._starting = None  # what was started has ended with its loop

    def _away(self, outcome: str) -> BrokerError:
        place = safe_url(self.options.url or "")
        return BrokerError(f"the bus at {place} was not reached within {self._timeout:g} s; {outcome}")
