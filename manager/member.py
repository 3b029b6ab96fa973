"""``ClusterMember``: a client manager that owns a node, which joins and leaves the cluster."""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from collections.abc import Callable, Coroutine, Iterable
from contextvars import Context
from threading import get_ident
from typing import TYPE_CHECKING, Any, Final, Protocol, Unpack

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.bus.messages import Message
from socketio_cluster.manager.bus.node import Node
from socketio_cluster.manager.bus.roster import NodeInfo
from socketio_cluster.manager.clients.client import Client
from socketio_cluster.manager.clients.client_acks import ClientAcks
from socketio_cluster.manager.clients.rooms import LocalRooms
from socketio_cluster.manager.clients.slow_consumers import MAX_EXTRA_MARKS
from socketio_cluster.manager.local_manager import LocalManager
from socketio_cluster.manager.loops import OwnLoop
from socketio_cluster.manager.option_values import OptionValues
from socketio_cluster.manager.options import from_environment
from socketio_cluster.manager.presence.presence import Presence
from socketio_cluster.manager.presence.rooms import PresenceRooms
from socketio_cluster.manager.queries.answering import Answering
from socketio_cluster.manager.queries.queries import Queries
from socketio_cluster.manager.queries.replies import Replies
from socketio_cluster.manager.queries.selective_emits import SelectiveEmits
from socketio_cluster.manager.queries.server_events import ServerEvents
from socketio_cluster.manager.recovery.differences import Differences
from socketio_cluster.manager.recovery.locating_remote import LocatingRemote
from socketio_cluster.manager.remote import Remote
from socketio_cluster.manager.stats import Stats
from socketio_cluster.manager.tasks import Recurring, end_all

if TYPE_CHECKING:
    from socketio_cluster.manager.clients.fanout import Fanout
    from socketio_cluster.manager.host.server import Host
    from socketio_cluster.manager.recovery.recovery import Recovery

START_SECONDS: Final = 5.0
"""How long the first client waits for the bus. After that it is served without the bus."""


class Door(Protocol):
    """Where other nodes reach this process. It is open while the node is in the cluster."""

    async def open(self, member: ClusterMember) -> str:
        """Open it for a node, and return the address that the other nodes are told."""

    async def close(self) -> None:
        """Close it."""


class ClusterMember(LocalManager):
    """A client manager that joins and leaves the cluster. Its subclass handles the messages of other nodes.

    Args:
        url: the bus, or None for ``CLUSTER_BUS``.
        options: the fields of ``socketio_cluster.manager.options.Options``; raises ``SettingError``.
    """

    _is_bridge = False
    """Whether this member has to hear every emit of the others."""
    fanout: Fanout
    """Hands events to the clients of this node."""
    host: Host
    """The server and its Engine.IO server, once ``set_server`` was called."""
    door: Door | None = None
    _home: asyncio.AbstractEventLoop | None
    """The event loop on which this node has started."""

    def __init__(self, url: str | None = None, **options: Unpack[OptionValues]) -> None:
        self.options = from_environment(url, options)
        super().__init__(MAX_EXTRA_MARKS * self.options.client_bytes, self.options.ack_seconds)
        self.stats = Stats()
        self.expiry = Recurring(1.0, self._expire)
        """Removes callbacks that have waited for long enough, as long as there are any."""
        self._own_loop = OwnLoop()
        self.server_events = ServerEvents()
        self.presence = Presence(self)
        """Who is in which room, on all nodes together."""
        self._new_node()

    def _new_node(self) -> None:
        """Make a node with a new id, without clients and tasks."""
        self.members = LocalRooms()
        self.client_acks = ClientAcks(self.options.ack_seconds)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._starting: asyncio.Future[None] | None = None
        self._leave_home()
        self._thread = 0
        self.node = Node(self.options, self, self.stats, bridge=self._is_bridge)
        self.recovery = self._new_recovery()
        self.remote = self._new_remote()
        self.replies = Replies(self)
        self.queries = Queries(self.node, self.replies)
        self.selective_emits = SelectiveEmits(self)
        self.present = PresenceRooms(self)
        self.differences = Differences(self.node)

    def _new_remote(self) -> Remote:
        if self.recovery is None:
            return Remote(self.node, self.is_sid_room)
        return LocatingRemote(self.node, self.recovery.keeper, is_client=self.is_sid_room)

    def new_answering(self) -> Answering:
        """Make what answers questions of other nodes."""
        return Answering(self)

    def _new_recovery(self) -> Recovery | None:
        """Make the recovery of a new node. None means that recovery is off."""
        return None

    @property
    def node_id(self) -> str:
        """The node's id: the first 8 characters of its clients' sids."""
        return self.node.id

    @property
    def host_id(self) -> str:
        """The node's id under the name that python-socketio uses."""
        return self.node.id

    @property
    def ready(self) -> bool:
        """Whether this node is on the bus, on all its shards, and hears the other nodes."""
        return self.node.ready

    @property
    def away(self) -> list[str]:
        """The names of the shards that this node is not on, for people: ``the bus`` if there is only one."""
        return self.node.away

    @property
    def hears(self) -> bool:
        """Whether this node hears which other nodes there are."""
        return self.node.hears

    @property
    def client_count(self) -> int:
        """How many clients this node serves. A connection counts once in each namespace."""
        return len(self.members.clients)

    def drain(self) -> None:
        """Tell the other nodes that this one is draining.

        This alone does not refuse or disconnect clients.
        """
        self.node.drain()

    def nodes(self) -> dict[str, NodeInfo]:
        """Return the live nodes by id. This node is one of them."""
        return self.node.nodes

    async def start(self) -> None:
        """Connect to the bus. Returns when it is reached, or after five seconds; the node goes on trying.

        Raises ``RuntimeError`` as ``enter_loop``.
        """
        self.enter_loop()
        if self._starting is None:
            # Not in the context of the client that happened to be the first.
            self._starting = asyncio.get_running_loop().create_task(self._join(), context=Context())
        if self._home is None:
            await asyncio.shield(self._starting)
        came, self._home, self._thread = self._home is None, asyncio.get_running_loop(), get_ident()
        if came:
            self._come_home()

    def _come_home(self) -> None:
        """Begin what has to wait until the node has started."""
        self.present.open()
        if self.recovery is not None:
            self.recovery.start()

    def _leave_home(self) -> None:
        """Note that this node has no event loop. After a fork the parent has it."""
        self._home = None

    async def _join(self) -> None:
        if self.door is not None:  # First, so that nodes that hear of this node can reach it.
            self.node.reached_at(await self.door.open(self))
        await self.node.start(START_SECONDS)

    async def introduced(self, seconds: float) -> bool:
        """Connect to the bus, and wait until all nodes are known. Returns False if the bus is away so long.

        That is one heartbeat after this node has joined the bus.
        """
        await self.start()
        return await self.node.introduced(seconds)

    async def publish(self, post: Callable[[], int]) -> None:
        """Call ``post``. What it posts waits for the bus, as long as ``buffer_seconds``."""
        await self.start()
        post()

    def enter_loop(self) -> None:
        """Become a new node if the event loop of the last one has ended, or if the process was forked.

        Raises ``RuntimeError`` when that loop runs, in another thread.
        """
        if self._own_loop.entered():
            self._new_node()

    async def close(self) -> None:
        """Say goodbye to the other nodes and leave the bus. A second call does no harm."""
        self.enter_loop()
        starting, self._starting = self._starting, None
        self._leave_home()
        if starting is not None:
            starting.cancel()
        if self.door is not None:
            await self.door.close()
        await self.node.close()
        if self.recovery is not None:
            self.recovery.close()
        self.expiry.close()
        self.present.close()  # Before the tasks end: its turns begin others.
        await end_all(self._tasks)

    def _expire(self) -> bool:
        now = time.monotonic()
        self.client_acks.expire(now)
        self.remote.acks.expire(now)
        return bool(len(self.client_acks) or len(self.remote.acks))

    @abstractmethod
    def heard(self, origin: str, message: Message) -> None:
        """Handle a message of another node."""

    def entered(self, client: Client, room: Room) -> None:
        """Note what recovery and presence have to know of a client that was put into a room."""
        if self.recovery is not None:
            self.recovery.sessions.moved(client, room, inside=True)
        if self.present.attendance.of_client:
            self.present.attendance.entered_room(client.sid, (client.namespace, room))

    def left(self, client: Client, room: Room) -> None:
        """Note what recovery and presence have to know of a client that was taken out of a room."""
        if self.recovery is not None:
            self.recovery.sessions.moved(client, room, inside=False)
        if self.present.attendance.of_client:
            self.present.attendance.left_room(client.sid, (client.namespace, room))

    def basic_disconnect(self, sid: str, namespace: str, **kwargs: Any) -> None:
        """Remove a client, as ``LocalManager`` does. It stays present for ``presence_grace``."""
        self.present.attendance.lost(sid)
        client = self.members.find(sid, namespace)
        if client is not None and client.session is not None:
            client.session.parted = True
        super().basic_disconnect(sid, namespace, **kwargs)

    def node_here(self, node: str, *, greets: bool) -> None:
        """Share the rooms whose presence is kept with a node that has come."""
        self.present.keepers.here(node, greets=greets)
        self.differences.look()
        if self.recovery is not None:
            self.recovery.node_here()

    def node_gone(self, node: str, *, died: bool) -> None:
        """Stop waiting for a node that has left or died."""
        self.present.keepers.gone(node, died=died)
        self.remote.node_gone(node)
        self.queries.node_gone(node)
        self.replies.node_gone(node)

    async def in_order(self) -> None:
        """Wait until the clients of this node have what it has emitted so far.

        Without recovery they have it at once.
        """
        if self.recovery is not None:
            await self.recovery.in_order()

    async def may_leave(self, clients: Iterable[Client]) -> None:
        """Wait until it is known what clients are owed of rooms that they are about to leave."""
        if self.recovery is not None:
            await self.recovery.sessions.locate(clients)

    def removed(self, client: Client) -> None:
        """Note that a client is gone from this node."""
        if self.recovery is not None:
            self.recovery.sessions.left(client)

    def spawn(self, work: Coroutine[Any, Any, Any], context: Context | None = None) -> asyncio.Task[Any]:
        """Run a coroutine in a task, and keep a reference to the task until it ends.

        Without a ``context`` the task runs in a copy of the current one.
        """
        # Not by the loop's factory: one of eager tasks would begin it in here, maybe within the same context.
        task = asyncio.Task(work, loop=asyncio.get_running_loop(), context=context)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
