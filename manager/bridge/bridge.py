"""``Bridge``: a member of our cluster and of a foreign one, which passes on what is said in either.

It is a node without clients. Our nodes know that it is there and send it every emit (``Remote.route``), and
what concerns a sid that is none of theirs. A ``Dialect`` translates. Several bridges may run between the same
two clusters: one works, and the others stand by (``turns.py``).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final

import socketio

from socketio_cluster.manager.bridge.bridge_manager import BridgeManager, Request
from socketio_cluster.manager.bridge.commands import Command, Sign, Told, Whom, answer_of_nobody
from socketio_cluster.manager.bridge.dialect import BridgeError, Dialect, Post
from socketio_cluster.manager.bridge.foreign_link import ForeignLink
from socketio_cluster.manager.bridge.foreign_questions import ForeignQuestions
from socketio_cluster.manager.bridge.inward import Inward
from socketio_cluster.manager.bridge.outbox import Entry, Outbox
from socketio_cluster.manager.bridge.outward import command_of, event_of, question_of
from socketio_cluster.manager.bridge.turns import SIGN_SECONDS, Turns
from socketio_cluster.manager.bus.broker import Broker, Delivery
from socketio_cluster.manager.bus.messages import Emit, SelectiveEmit
from socketio_cluster.manager.bus.query_messages import Query
from socketio_cluster.manager.clients.packets import PacketClass
from socketio_cluster.manager.queries.socket_info import SocketInfo
from socketio_cluster.manager.tasks import log_error_of, set_once, ticks

logger = logging.getLogger("socketio_cluster.manager")

MakeDialect = Callable[[str, Callable[[str], bool]], Dialect]
"""Makes a dialect of the id of the bridge's node, and a function that knows other bridges' nodes."""
PATIENCE: Final = 0.8
"""The part of the time of a question of our nodes that foreign servers get to answer it."""
TOLD: Final = (1, 10, 100, 1000, 10_000, 100_000)
"""When so many messages of a kind did not go across, that is logged."""


class Bridge:
    """Passes on what is said in two clusters.

    Args:
        manager: this process as a node of our cluster.
        connect: makes a broker of the foreign bus. It raises ``BrokerError``.
        make_dialect: makes the dialect of the foreign cluster.
        serializer: that of our servers: "default", "msgpack" or a packet class.
    """

    def __init__(
        self,
        manager: BridgeManager,
        connect: Callable[[], Awaitable[Broker]],
        make_dialect: MakeDialect,
        *,
        serializer: str | PacketClass = "default",
    ) -> None:
        self.manager = manager
        self.server = socketio.AsyncServer(async_mode="asgi", client_manager=manager, serializer=serializer)
        manager.hearer = self
        self._turns = Turns(manager.node_id, time.time())
        self._dialect = make_dialect(manager.node_id, self._turns.is_peer)
        self._outbox = Outbox(manager.options.buffer_bytes, manager.options.buffer_seconds)
        self._link = ForeignLink(connect, self._dialect.channels, self._outbox, self)
        self._questions = ForeignQuestions(
            manager.node_id, self._servers, self._send, manager.options.request_seconds * PATIENCE
        )
        self._inward = Inward(manager, self._send)
        self._tasks: list[asyncio.Task[None]] = []
        self._told_lost = 0
        self.works = False
        """Whether it is this bridge's turn. Otherwise it stands by."""
        self.inward: Counter[str] = Counter()
        """What came from the foreign cluster and was carried out in ours, by kind."""
        self.outward: Counter[str] = Counter()
        """What came from our cluster and was given to the foreign bus, by kind."""
        self.refused: Counter[str] = Counter()
        """What did not go across, by reason."""

    @property
    def lost(self) -> int:
        """How many messages to the foreign cluster its bus did not get, or perhaps did not."""
        return self._outbox.lost

    @property
    def reached(self) -> bool:
        """Whether both buses are reached."""
        return self._link.up and self.manager.ready

    async def start(self) -> None:
        """Join both clusters. Returns while the foreign bus may still be out of reach.

        Raises ``SettingError`` for a URL of our bus that cannot work.
        """
        await self.manager.start()
        self._tasks = [asyncio.create_task(self._link.run()), asyncio.create_task(self._tick())]
        for task in self._tasks:
            task.add_done_callback(log_error_of)

    async def close(self) -> None:
        """Let another bridge take over, and leave both clusters."""
        self._say(able=False)
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.manager.close()

    # the foreign side

    async def arrived(self, delivery: Delivery) -> None:
        """Carry out a message of the foreign bus."""
        try:
            for each in self._dialect.read(delivery.channel, delivery.payload):
                await self._carry_out(each)
        except BridgeError as exc:
            self._refuse(exc.reason, exc)
        except Exception:
            logger.exception("a message of the foreign cluster could not be carried out")
            self._refuse("error", "see above")

    def joined(self) -> None:
        """Tell other bridges that this one is there."""
        logger.info("on the foreign bus")
        self._turns.joined(time.monotonic())
        self._say(able=self.manager.ready)
        self._tell_lost()

    def parted(self) -> None:
        """Stand by, if another bridge is there. What foreign nodes say meanwhile is lost."""
        self._turns.parted(time.monotonic())

    async def _carry_out(self, command: Command | Post) -> None:
        if isinstance(command, Sign):
            if self.manager.node.knows(command.node):  # Otherwise it is a bridge to another cluster of ours.
                self._turns.heard(command, time.monotonic())
        elif isinstance(command, Post):
            self._outbox.add(Entry([command], time.monotonic(), lambda done: None))
            self._link.wake()
        elif isinstance(command, Told):
            self._questions.told(command)
        elif self._mine():
            await self._inward.carry_out(command)
            self.inward[type(command).__name__] += 1
        elif (answer := answer_of_nobody(command)) is not None:
            self._send(answer)

    # our side

    def heard_event(self, origin: str, message: Emit | SelectiveEmit) -> None:
        """Pass on an emit of our cluster, unless it was passed on to us by another bridge."""
        if self._turns.is_peer(origin) or not self._mine():
            return
        try:
            self._send(event_of(self.manager.packet_class, origin, message))
        except BridgeError as exc:
            self._refuse(exc.reason, exc)

    def heard_query(self, origin: str, query: Query) -> None:
        """Pass on what a question of our cluster does to clients, unless another bridge has asked."""
        if self._turns.is_peer(origin) or not self._mine():
            return
        try:
            command = question_of(query)
            if command is not None:
                self._send(command)
        except BridgeError as exc:
            self._refuse(exc.reason, exc)

    async def foreign_clients(self, whom: Whom) -> AsyncIterator[SocketInfo]:
        """Yield the clients of the foreign cluster, if it tells them. Raises ``Failed``."""
        if self._mine() and self._dialect.census(whom.namespace) is not None:
            async for client in self._questions.clients(whom):
                yield client

    async def _servers(self, namespace: str) -> int:
        """Return how many foreign servers will answer. Bridges are counted with them, and do not answer."""
        channel = self._dialect.census(namespace) or ""
        return await self._link.subscribers(channel) - 1 - self._turns.peers(time.monotonic())

    async def heard_request(self, request: Request) -> str:
        """Pass on a request about a foreign client, and return when the foreign bus has it."""
        if not self._mine():
            return ""
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        try:
            self._send(command_of(request), partial(set_once, done))
        except BridgeError as exc:
            self._refuse(exc.reason, exc)
            return str(exc)
        return "" if await done else "the foreign bus is away"

    def _send(self, command: Command, ended: Callable[[bool], None] = lambda done: None) -> None:
        """Give a command to the foreign bus. Raises ``BridgeError``."""
        posts: Sequence[Post] = self._dialect.write(command)
        self._outbox.add(Entry(posts, time.monotonic(), ended))
        self.outward[type(command).__name__] += 1
        self._link.wake()

    # both

    def _mine(self) -> bool:
        return self._turns.mine(time.monotonic(), able=self.manager.ready)

    def _say(self, *, able: bool) -> None:
        self._outbox.urge(self._dialect.write(self._turns.sign(able=able)))
        self._link.wake()

    async def _tick(self) -> None:
        async for now, _ in ticks(SIGN_SECONDS):
            self._outbox.expire(now)
            self._say(able=self.manager.ready)
            works = self._mine()
            if works is not self.works:
                self.works = works
                logger.info("this bridge %s", "works" if works else "stands by")
            if not self._link.up:
                self._tell_lost()

    def _tell_lost(self) -> None:
        """Log how many messages were lost since this was logged the last time."""
        lost = self._outbox.lost - self._told_lost
        if lost:
            self._told_lost += lost
            logger.error("%d messages did not reach the foreign bus, or perhaps did not", lost)

    def _refuse(self, reason: str, why: Any) -> None:
        self.refused[reason] += 1
        if self.refused[reason] in TOLD:
            logger.warning("did not pass on a message (%s, %d so far): %s", reason, self.refused[reason], why)
