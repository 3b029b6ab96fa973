"""``Arrivals``: clients that join a namespace, with a session that they claim or with a new one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from weakref import WeakValueDictionary

import msgspec

from socketio_cluster.manager.bus.stamp import Stamp
from socketio_cluster.manager.bus.store import Change, Claim, Claimed, Open, Release
from socketio_cluster.manager.clients.client import CONNECTED, Client
from socketio_cluster.manager.errors import BrokerError, ConnectionGone, NodeTimeout
from socketio_cluster.manager.ids import new_sid, node_of
from socketio_cluster.manager.recovery.client_session import TRANSPORT_CLOSE, ClientSession, read_room
from socketio_cluster.manager.recovery.knowing import knows_recovery
from socketio_cluster.manager.recovery.offset import read_offset, why_not
from socketio_cluster.manager.recovery.pid import digest, new_claim, new_pid, sid_in

if TYPE_CHECKING:
    from socketio_cluster.manager.client_manager import ClusterManager
    from socketio_cluster.manager.recovery.recovery import Recovery

logger = logging.getLogger("socketio_cluster.manager")

TAKE_SECONDS: Final = 1.0
"""How long the node that had a client may take to drop its side. A node that was killed does not answer."""
END_SECONDS: Final = 10.0
"""How long handlers of a former connection on this node may take to return."""


class Arrival(NamedTuple):
    """What a client says when it joins a namespace. ``tell`` is that of its ``ClientSession``."""

    knows: bool
    pid: str | None = None
    offset: object = None
    tell: Callable[[str], None] | None = None


class Turn(asyncio.Lock):
    """Lets one connection of this node at a time claim a session; others wait for their turn.

    ``taken`` counts how often another node has taken the session meanwhile.
    """

    def __init__(self) -> None:
        super().__init__()
        self.taken = 0


class Arrivals:
    """Gives sessions to the clients of one node.

    Args:
        manager: the manager of the clients.
        recovery: their recovery.
    """

    def __init__(self, manager: ClusterManager, recovery: Recovery) -> None:
        self._manager = manager
        self._recovery = recovery
        self._keeper = recovery.keeper
        self._arrivals: dict[tuple[str, str], Arrival] = {}
        self._turns: WeakValueDictionary[str, Turn] = WeakValueDictionary()
        """One for each session that is claimed here."""
        self._ends: WeakValueDictionary[str, asyncio.Event] = WeakValueDictionary()
        """The ends of connections that are waited for, by the sids of their clients."""

    def expect(self, eio_sid: str, namespace: str, auth: Any) -> Any:
        """Note what a client says of itself, and return its ``auth`` as the application may see it."""
        server = self._manager.server
        socket = server.eio.sockets.get(eio_sid)
        if hasattr(socket, "arrival"):  # A plain client has said it in another way.
            self._arrivals[eio_sid, namespace] = socket.arrival
            return auth
        environ = server.environ.get(eio_sid)  # Whether it is empty is not asked: that would make a late one.
        arrival = Arrival(environ is not None and knows_recovery(environ))
        if isinstance(auth, dict) and "pid" in auth:
            auth = dict(auth)
            arrival = Arrival(True, auth.pop("pid"), auth.pop("offset", None))
            auth = auth or None
        self._arrivals[eio_sid, namespace] = arrival
        return auth

    def forget(self, eio_sid: str, namespace: str) -> None:
        """Forget what a client has said, as it is connected or refused."""
        self._arrivals.pop((eio_sid, namespace), None)

    async def pre_connect(self, eio_sid: str, namespace: str) -> str:
        """Register a client before its connect handler runs, and return its sid.

        Raises ``ConnectionGone`` if the connection has ended meanwhile. Its caller removes the client, whose
        session waits for the next return.
        """
        arrival = self._arrivals.get((eio_sid, namespace), Arrival(False))
        reason = "none"
        if arrival.pid is not None:
            reason = await self._recover(eio_sid, namespace, arrival)
            self._manager.stats.recoveries[reason] += 1
        self._say(eio_sid, recovered=reason == "recovered")
        client = self._manager.members.on_connection(eio_sid, namespace)
        if client is None:
            client = await self._new(eio_sid, namespace, arrival)
        self._check(eio_sid)
        return client.sid

    def _check(self, eio_sid: str) -> None:
        if eio_sid not in self._manager.server.environ:
            raise ConnectionGone(f"connection {eio_sid} ended while a client joined a namespace")

    def _say(self, eio_sid: str, *, recovered: bool) -> None:
        environ = self._manager.server.environ.get(eio_sid)
        if environ is not None:
            environ["socketio.recovered"] = recovered

    async def _new(self, eio_sid: str, namespace: str, arrival: Arrival) -> Client:
        sid, claim = new_sid(self._manager.node_id), new_claim()
        if not arrival.knows:
            return await self._add(sid, eio_sid, namespace, None)
        session = ClientSession(new_pid(sid), claim, 0, tell=arrival.tell)
        client = await self._add(sid, eio_sid, namespace, session)
        seconds = self._recovery.times.session
        opening = Open(sid, digest(session.pid), namespace, self._manager.node_id, claim, seconds)
        try:
            session.position = (await self._keeper.open(opening)).last
        except BrokerError as error:
            logger.debug("client %s cannot come back: %s", sid, error)
            client.session = None
        return client

    async def _add(self, sid: str, eio_sid: str, namespace: str, session: ClientSession | None) -> Client:
        """Add a client. Events that come for it from now on are held."""
        client, node = self._put(sid, eio_sid, namespace, session), self._manager.node
        await node.subscribe(node.channels.namespace(namespace))
        return client

    def _put(self, sid: str, eio_sid: str, namespace: str, session: ClientSession | None) -> Client:
        manager = self._manager
        manager.basic_enter_room(sid, namespace, None, eio_sid=eio_sid)
        client = manager.members.clients[sid]
        client.session = session
        manager.basic_enter_room(sid, namespace, sid, eio_sid=eio_sid)
        return client

    async def _recover(self, eio_sid: str, namespace: str, arrival: Arrival) -> str:
        """Try to give a client its session back. Returns "recovered", or why that cannot be."""
        sid, offset = sid_in(arrival.pid), read_offset(arrival.offset)
        if sid is None or arrival.pid is None:
            return "unknown"
        if arrival.offset is not None and offset is None:
            return "offset"
        turn = self._turns.setdefault(sid, Turn())
        taken = turn.taken
        async with turn:
            self._check(eio_sid)
            if turn.taken > taken:  # The client has come to another node meanwhile, most likely.
                return "taken"
            try:
                if not await self._recovery.agreement.holds():
                    return "mixed"
                return await self._claim(sid, arrival, eio_sid, namespace, offset)
            except BrokerError as error:
                logger.debug("client %s cannot have its session back: %s", sid, error)
                return "bus"

    async def _claim(
        self, sid: str, arrival: Arrival, eio_sid: str, namespace: str, offset: Stamp | None
    ) -> str:
        manager, claim, pid = self._manager, new_claim(), str(arrival.pid)
        seconds, channels = self._recovery.times.session, manager.node.channels.rooms(namespace)
        asked = Claim(sid, digest(pid), namespace, manager.node_id, claim, seconds, channels, offset)
        claimed = await self._keeper.claim(asked)
        if claimed is None or isinstance(claimed, str):
            return claimed or "unknown"
        if (reason := why_not(claimed, offset)) is not None:
            await self._keeper.release(Release(sid, claim, 0))
            return reason
        position = max(claimed.position, offset.number if offset is not None else 0)
        session = ClientSession(pid, claim, position, recovered=True, returning=True, tell=arrival.tell)
        session.stays, session.known, session.tried = claimed.stays, claimed.place.last, claimed.tried
        try:
            await self._take(claimed.node, sid, namespace, session)
            self._check(eio_sid)
        except BaseException as error:
            manager.spawn(self._recovery.sessions.release(sid, session))
            if isinstance(error, TimeoutError):
                return "busy"
            raise
        if session.over:
            await self._recovery.sessions.release(sid, session)
            return "bus"
        try:
            await self._restore(sid, eio_sid, namespace, claimed, session)
            mine = await self._keeper.change(Change(sid, claim))
        except BrokerError:
            self._undo(sid, eio_sid, namespace)
            raise
        if mine:
            return "recovered"
        # Another connection has claimed it meanwhile, perhaps before its node could find this client here.
        self._undo(sid, eio_sid, namespace)
        return "taken"

    def _undo(self, sid: str, eio_sid: str, namespace: str) -> None:
        """Take a restored client out again. The new one on its connection does not have its data."""
        self._manager.basic_disconnect(sid, namespace)
        connection = self._manager.server.eio.sockets.get(eio_sid)
        if connection is not None:
            connection.session.pop(namespace, None)

    async def _take(self, owner: str, sid: str, namespace: str, session: ClientSession) -> None:
        """Have the former owner drop its side. The session is over if it has ended there.

        Raises ``TimeoutError`` if this node cannot drop its own side.
        """
        manager = self._manager
        if owner == manager.node_id:
            session.over = self._recovery.sessions.has_ended(sid, namespace)
        elif owner and manager.node.knows(owner):
            try:
                async with asyncio.timeout(TAKE_SECONDS):
                    session.over = not await manager.remote.take(owner, namespace, sid)
            except (TimeoutError, NodeTimeout):
                logger.info("node %s, which had client %s, does not answer", owner, sid)
        await self._end(sid, namespace)

    async def drop(self, sid: str, namespace: str) -> None:
        """End the connection of a client whose session was claimed elsewhere. Its disconnect handler runs.

        A client that is just coming back finds that out by itself, and gets a new session.
        """
        turn = self._turns.get(sid)
        if turn is not None:
            turn.taken += 1
        client = self._manager.members.find(sid, namespace)
        if client is not None and (client.state is CONNECTED or not self.is_returning(sid)):
            with suppress(TimeoutError):
                await self._end(sid, namespace)

    async def _end(self, sid: str, namespace: str) -> None:
        """End the connection of a client, and wait for its handlers. Raises ``TimeoutError``."""
        client = self._manager.members.find(sid, namespace)
        if client is None:
            return
        end = self._ends.setdefault(sid, asyncio.Event())
        self._manager.spawn(self._manager.send_back(client.eio_sid, TRANSPORT_CLOSE))
        async with asyncio.timeout(END_SECONDS):
            await end.wait()

    async def gone(self, client: Client) -> None:
        """Return when a client has left this node. Cancelling is safe."""
        if self._manager.members.is_here(client):
            end = self._ends.setdefault(client.sid, asyncio.Event())
            await end.wait()

    def left(self, sid: str) -> None:
        """Note that a client has left this node."""
        end = self._ends.pop(sid, None)
        if end is not None:
            end.set()

    def is_returning(self, sid: str) -> bool:
        """Whether a connection of this node claims a session."""
        turn = self._turns.get(sid)
        return turn is not None and turn.locked()

    async def _restore(
        self, sid: str, eio_sid: str, namespace: str, claimed: Claimed, session: ClientSession
    ) -> None:
        """Put a client into its rooms again, and give it its data.

        Others find it with all of its rooms: what they change is not taken back.
        """
        manager, names = self._manager, self._manager.node.channels
        # Once the client is found here, others may save newer data: what the bus had comes before that.
        connection = manager.server.eio.sockets.get(eio_sid)
        if claimed.data and connection is not None:  # It may have ended meanwhile.
            connection.session[namespace] = msgspec.msgpack.decode(claimed.data)
        self._put(sid, eio_sid, namespace, session)
        channels = [names.namespace(namespace)]
        if node_of(sid) != manager.node_id:
            channels.append(names.room(namespace, sid))
        for room in map(read_room, claimed.rooms):
            manager.basic_enter_room(sid, namespace, room)
            channels.append(names.room(namespace, room))
        session.joined = {read_room(room): at for room, at in claimed.rooms.items()}
        session.unwritten = {}
        await asyncio.gather(*map(manager.node.subscribe, channels))
        manager.present.attendance.came_back(sid, namespace)
