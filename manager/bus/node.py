"""A node's place in the cluster: what it says, what it hears, and who else is there.

Everything a node publishes is one numbered stream, kept for a while in the backlog; everything it hears
is checked against the last number of its sender. So an envelope sent twice counts once, and one missed
while this node was cut off is asked for (``Hello``) and sent again by its sender (``Replay``).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from functools import partial
from typing import TYPE_CHECKING, Final

from socketio_cluster.manager.bus.backlog import Backlog, Entry
from socketio_cluster.manager.bus.broker import Delivery
from socketio_cluster.manager.bus.channels import Channels
from socketio_cluster.manager.bus.echo import Echo
from socketio_cluster.manager.bus.envelope import Codec, Header
from socketio_cluster.manager.bus.interest import Interest
from socketio_cluster.manager.bus.link import FAREWELL_SECONDS, Link
from socketio_cluster.manager.bus.messages import Beat, Bye, Emit, Gone, Hello, Membership, Message, Replay
from socketio_cluster.manager.bus.node_listener import Hears
from socketio_cluster.manager.bus.publisher import Publisher
from socketio_cluster.manager.bus.refusals import refuse
from socketio_cluster.manager.bus.registry import open_broker, safe_url
from socketio_cluster.manager.bus.replay import pieces
from socketio_cluster.manager.bus.roster import NodeInfo, Roster
from socketio_cluster.manager.errors import EnvelopeError
from socketio_cluster.manager.futures import complain
from socketio_cluster.manager.ids import new_node_id
from socketio_cluster.manager.stats import Stats

if TYPE_CHECKING:
    from socketio_cluster.manager.options import Options

logger = logging.getLogger("socketio_cluster.manager")

TICK: Final = 0.5
LATE: Final = 1.0
"""A tick so much too late means that this loop was blocked: silence then says nothing about others."""


class Node:
    """One member of the cluster; without a bus (``options.url`` is None) the only one.

    Args:
        options: the settings.
        hears: who is told what other nodes say.
        serving: False for a process that only emits.
        stats: where to count.
    """

    def __init__(self, options: Options, hears: Hears, stats: Stats, *, serving: bool = True) -> None:
        self.id = new_node_id()
        self.options = options
        self.channels = Channels(options.prefix)
        self.stats = stats
        self._roster = Roster(options.dead_after, 2 * options.buffer_seconds)
        self._codec = Codec(options.prefix, options.secret)
        self._echo = Echo(options, self.channels.everyone, self._codec, stats)
        self._interest = Interest()
        self._hears = hears
        self._serving = serving
        self._joined_at = 0.0
        self._said_goodbye = self.draining = False
        backlog = Backlog(options.buffer_bytes, options.buffer_seconds)
        connect = partial(open_broker, options.url or "")
        self._link = Link(connect, self._interest, backlog, self) if options.url else None
        self.publisher = Publisher(self.id, self._codec, backlog, self._link, stats)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def alone(self) -> bool:
        """Whether this node has no bus."""
        return self._link is None

    @property
    def ready(self) -> bool:
        """Whether this node hears the others; always, when it is alone."""
        return self._link is None or (self._link.up and not self._echo.doubled(time.monotonic()))

    @property
    def nodes(self) -> dict[str, NodeInfo]:
        """The live nodes by id, this one included if it serves clients."""
        me = {self.id: self._info()} if self._serving else {}
        return {**me, **self._roster.nodes}

    def knows(self, node: str) -> bool:
        """Whether this is a live node, or this one."""
        return node == self.id or node in self._roster.nodes

    async def start(self, wait: float) -> None:
        """Go on the bus; returns when it is reached, or after ``wait`` seconds, while it goes on trying.

        Raises ``SettingError`` for a URL that the broker cannot work with.
        """
        if self._link is None or self._tasks:
            return
        self._interest.want(self.channels.everyone)
        self._interest.want(self.channels.inbox(self.id))
        self._tasks = [asyncio.create_task(self._link.run()), asyncio.create_task(self._tick())]
        for task in self._tasks:
            task.add_done_callback(complain)
        up = asyncio.ensure_future(self._link.wait_up())
        ended, _ = await asyncio.wait({up, self._tasks[0]}, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
        up.cancel()
        if self._tasks[0] in ended:
            self._tasks[0].result()
        elif not ended and self._serving:
            logger.warning("no bus at %s yet: serving local clients", safe_url(self.options.url or ""))

    async def reached(self) -> None:
        """Return when the bus is reached."""
        if self._link is not None:
            await self._link.wait_up()

    async def introduced(self) -> None:
        """Return when every live node has had the time to say so: one heartbeat after joining the bus."""
        if self._link is not None:
            await self._link.wait_up()
            await asyncio.sleep(self._joined_at + self.options.heartbeat - time.monotonic())

    def drain(self) -> None:
        """Tell the others that this node takes no new clients and lets its own go."""
        self.draining = True
        if self._link is not None and self._link.up:
            self._tell(self._beat())

    async def close(self) -> None:
        """Send what is left, say goodbye and leave the bus, within a second.

        First through the running link: to cancel it in the middle of a batch would end the broker.
        """
        if self._tasks and self._link is not None and self._link.up:
            goodbye = self._say_goodbye()
            with contextlib.suppress(TimeoutError):  # the link says what is left unsent
                await asyncio.wait_for(self.publisher.sent(goodbye), FAREWELL_SECONDS)
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def take(self, channel: str) -> None:
        """Need a channel; returns when the bus delivers it, or at once when there is no bus."""
        self._interest.want(channel)
        if self._link is not None:
            await self._link.settle(channel)

    def give(self, channel: str) -> None:
        """Need a channel no more."""
        self._interest.drop(channel)
        if self._link is not None:
            self._link.wish()

    def post(self, message: Message, *channels: str, keep: bool = True) -> int:
        """Publish a message to channels; see ``Publisher.post``."""
        return self.publisher.post(message, channels, keep=keep)

    def arrived(self, deliveries: list[Delivery]) -> None:
        """Take what came from the bus; nothing in it can stop the node."""
        now = time.monotonic()
        for delivery in deliveries:
            try:
                self._receive(delivery, now)
            except EnvelopeError as exc:
                refuse(exc, self.stats)
            except Exception:
                logger.exception("an envelope could not be handled")

    def joined(self, *, again: bool) -> None:
        """Say hello; after a cut, ask everybody for what was missed."""
        now = time.monotonic()
        self._joined_at = now
        self._echo.excuse(now)
        self._said_goodbye = False
        if again:
            self.stats.reconnects += 1
            self._roster.cut(now)
        self._tell(self._hello())

    def parted(self) -> None:
        """Nothing to do: clients of this node are served as before."""

    def refused(self, entry: Entry, why: str) -> None:
        """Name what the bus will never take; nobody will answer it."""
        message = self.publisher.refused(entry, why)
        if isinstance(message, Emit) and message.ack:
            self._hears.heard(self.id, Gone(message.ack))

    def leaving(self) -> None:
        """Say goodbye, unless ``close`` has."""
        if not self._said_goodbye:
            self._say_goodbye()

    def _receive(self, delivery: Delivery, now: float) -> None:
        header = self._codec.header(delivery.payload)
        if header.origin == self.id:
            self._echo.arrived(delivery, header, now)
            return
        message = self._codec.message(delivery.payload)
        fresh = self._roster.fresh(header.origin, header.number, now)
        if isinstance(message, Membership):
            self._membership(header.origin, message)
        elif isinstance(message, Replay):
            self._replay(header, message)
        elif fresh:
            self._hand_over(header.origin, message)
        elif not self._roster.is_behind(header.origin):
            self.stats.repeats += 1

    def _hand_over(self, origin: str, message: Message) -> None:
        self.stats.received[type(message).__name__] += 1
        self._hears.heard(origin, message)

    def _membership(self, origin: str, message: Membership) -> None:
        if isinstance(message, Bye):
            if self._roster.leave(origin):
                self._gone(origin, "left")
            return
        if self._roster.present(origin, message):
            logger.info("node %s (%s) is here", message.name or origin, origin)
        if isinstance(message, Hello):
            self._answer_hello(origin, message)

    def _answer_hello(self, origin: str, message: Hello) -> None:
        inbox = self.channels.inbox(origin)
        if self.id in message.seen:
            for piece in pieces(self.publisher, self.channels, inbox, message.seen[self.id]):
                self.post(piece, inbox, keep=False)
        else:
            self.post(self._beat(), inbox, keep=False)

    def _replay(self, header: Header, replay: Replay) -> None:
        if not self._roster.is_behind(header.origin):
            return
        for raw in replay.envelopes:
            inner = self._codec.header(raw)
            message = self._codec.message(raw)
            if inner.origin == header.origin and self._roster.replayed(inner.origin, inner.number):
                self._hand_over(inner.origin, message)
        if not replay.more:
            self._roster.caught_up(header.origin, header.number)
            if replay.lost:
                self.stats.gaps += 1
                logger.error("cut off for longer than %s keeps envelopes: some may be lost", header.origin)

    async def _tick(self) -> None:
        last = time.monotonic()
        beat = last
        while True:
            await asyncio.sleep(TICK)
            now = time.monotonic()
            if now - last > TICK + LATE:
                self._roster.grace(now)
                self._echo.excuse(now)
            last = now
            self.publisher.expire(now)
            if self._link is not None and self._link.up:
                if now - beat >= self.options.heartbeat:
                    beat = now
                    self._tell(self._beat())
                self._look_around(now)

    def _look_around(self, now: float) -> None:
        assert self._link is not None
        if self._echo.deaf(now):
            self._link.fail("this node does not hear its own heartbeat")
            return
        for origin in self._roster.behind():
            self.post(self._hello(), self.channels.inbox(origin), keep=False)
        for node in self._roster.expire(now):
            self._gone(node, "is dead")

    def _gone(self, node: str, how: str) -> None:
        logger.info("node %s %s", node, how)
        self._hears.node_gone(node)

    def _say_goodbye(self) -> int:
        self._said_goodbye = True
        return self._tell(Bye())

    def _tell(self, message: Membership) -> int:
        number = self.post(message, self.channels.everyone, keep=False)
        self._echo.said(self.publisher.stamp)
        return number

    def _hello(self) -> Hello:
        me = self.options
        return Hello(me.name, me.address, self._serving, self._roster.seen(), self.draining)

    def _beat(self) -> Beat:
        me = self.options
        return Beat(me.name, me.address, self._serving, self._hears.client_count, self.draining)

    def _info(self) -> NodeInfo:
        me = self.options
        return NodeInfo(self.id, me.name or self.id, me.address, self._hears.client_count, self.draining)
