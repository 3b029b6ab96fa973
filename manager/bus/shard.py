"""``Shard``: this node on one server of the bus. There it publishes, receives and knows the other nodes.

It publishes one stream of numbered envelopes, which the backlog keeps. A repeat of one is dropped. One that
was missed while this node was cut off is asked for (``catching_up.py``), and answered (``answers.py``).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Final

from socketio_cluster.manager.bus.absent import Absent
from socketio_cluster.manager.bus.answers import Answers
from socketio_cluster.manager.bus.backlog import Backlog, Entry
from socketio_cluster.manager.bus.broker import Broker, Publication, Take
from socketio_cluster.manager.bus.catching_up import CatchingUp
from socketio_cluster.manager.bus.channels import Channels
from socketio_cluster.manager.bus.envelope import Codec
from socketio_cluster.manager.bus.interest import Interest
from socketio_cluster.manager.bus.introduction import Introduction
from socketio_cluster.manager.bus.link import FAREWELL_SECONDS, Link
from socketio_cluster.manager.bus.membership import Membership, NodeListener
from socketio_cluster.manager.bus.messages import Answer, Ask, Beat, Bye, Emit, Gone, Hello, Late, Notice
from socketio_cluster.manager.bus.outgoing import Outgoing
from socketio_cluster.manager.bus.places import Place
from socketio_cluster.manager.bus.publisher import Publisher
from socketio_cluster.manager.bus.receiver import Receiver, Twin
from socketio_cluster.manager.bus.registry import open_broker, safe_url
from socketio_cluster.manager.bus.roster import NodeInfo
from socketio_cluster.manager.bus.speaker import Speaker
from socketio_cluster.manager.bus.streams import Streams
from socketio_cluster.manager.stats import Stats
from socketio_cluster.manager.tasks import happens, log_error_of, ticks

if TYPE_CHECKING:
    from socketio_cluster.manager.options import Options

logger = logging.getLogger("socketio_cluster.manager")

TICK: Final = 0.1
CHECK_NODES: Final = 0.5
"""Seconds between two checks for dead nodes."""


class Shard:
    """One node on one server of the bus. Without a bus (``place.url`` is None) it is alone.

    Args:
        node: the id of this node.
        place: the server, and the prefix of the channels there.
        options: the settings.
        listener: gets the messages of other nodes.
        stats: the counters.
        serving: False for a process that only emits.
        others: returns the nodes that are known from elsewhere, which are expected here too.
    """

    def __init__(
        self,
        node: str,
        place: Place,
        options: Options,
        listener: NodeListener,
        stats: Stats,
        *,
        serving: bool = True,
        others: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        self.id, self.place = node, place
        self.options, self.stats = options, stats
        self.channels = Channels(place.prefix)
        self.bridge = self.draining = self._said_goodbye = False
        self._listener, self._serving, self._others = listener, serving, others
        self._absent = Absent(place.prefix, options.dead_after)
        self._joined_clock = self._beat_at = self._checked_at = 0.0
        self.interest = Interest()
        self._streams = Streams(options.dead_after, 2 * options.buffer_seconds)
        self.silence = self._streams.silence
        codec = Codec(place.prefix, options.secret)
        self.membership = Membership(self._streams, listener, codec, 2 * options.buffer_seconds)
        backlog = Backlog(options.buffer_bytes, options.buffer_seconds)
        self._answers = Answers(backlog, lambda: self.publisher.largest // 2)
        recording = options.recovery_seconds is not None
        self._outgoing = Outgoing(
            backlog, self._next_answer, lambda: self._speaker.mark(self._info()), recording=recording
        )
        connect = partial(open_broker, *filter(None, (place.url, options.recovery_url)))
        self.link = Link(connect, self.interest, self._outgoing, self) if place.url else None
        self.publisher = Publisher(self.id, codec, self._outgoing, self.link, stats)
        self._twin = Twin(self.publisher.said, options.dead_after)
        self.introduction = Introduction(options.heartbeat, options.deaf_after)
        self._speaker = Speaker(self.publisher, self.channels, serving=serving)
        me = (self.id, codec, self._streams, self._twin, self._echoed)
        self.receiver = Receiver(*me, stats, listener.heard, self._noticed, self._speaker.late)
        self.receiver.one_way = options.recovery_url is None
        self._catching_up = CatchingUp(self._streams, self.interest, self.receiver, self._speaker.ask, stats)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def ready(self) -> bool:
        """Whether this node is on this server and hears the others. Without a bus it always is."""
        return self.link is None or (self.link.up and not self._twin.there(time.monotonic()))

    @property
    def nodes(self) -> dict[str, NodeInfo]:
        """The live nodes by id. This node is one of them if it serves clients."""
        me = {self.id: self._info()} if self._serving else {}
        return {**me, **self.membership.nodes}

    def knows(self, node: str) -> bool:
        """Whether this is the id of a live node or of this node."""
        return node == self.id or node in self.membership.nodes

    async def start(self, wait: float) -> None:
        """Connect to the bus. Returns when it is reached, or after ``wait`` seconds; the node goes on trying.

        Raises ``SettingError`` for a URL that the broker cannot work with.
        """
        if self.link is None or self._tasks:
            return
        self.interest.want(self.channels.everyone)
        self.interest.want(self.channels.inbox(self.id))
        self._tasks = [asyncio.create_task(self.link.run()), asyncio.create_task(self._tick())]
        if not await happens(self.link.wait_up(), self._tasks[0], wait) and self._serving:
            logger.warning("no bus at %s yet: serving local clients", safe_url(self.place.url or ""))
        for task in self._tasks:  # not before: the caller gets what ends the link at once
            task.add_done_callback(log_error_of)

    async def reached(self) -> None:
        """Return when the bus is reached."""
        if self.link is not None:
            await self.link.wait_up()

    async def introduced(self, seconds: float | None) -> bool:
        """Wait until this node knows every live node. See ``Introduction.wait``."""
        return self.link is None or await self.introduction.wait(self.link, seconds)

    def drain(self) -> None:
        """Tell the other nodes that this node is draining."""
        self.draining = True
        self._speaker.beat(self._info())

    async def close(self) -> None:
        """Send the remaining envelopes, say goodbye and leave the bus, within about a second."""
        # The link still runs meanwhile, because cancelling it in the middle of a batch would end the broker.
        if self._tasks and self.link is not None and self.link.up:
            self._flow()
            with contextlib.suppress(TimeoutError):  # The link logs how many envelopes are unsent.
                await asyncio.wait_for(self._send_the_rest(), FAREWELL_SECONDS)
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def subscribing(self, channel: str) -> asyncio.Future[None] | None:
        """Do as ``Node.subscribing`` for a channel of this shard."""
        self.interest.want(channel)
        return self.link.settling(channel) if self.link is not None else None

    def unsubscribe(self, channel: str) -> None:
        """Remove a channel from the interest."""
        self.interest.drop(channel)
        if self.link is not None:
            self.link.wish()

    @property
    def arrived(self) -> Take:
        """The function that handles deliveries from the bus: the receiver's own, with no step between."""
        return self.receiver.arrived

    async def subscribed(self, broker: Broker) -> float | None:
        """Let recovery begin on a new broker. See ``Recorder.begin``."""
        return await self.receiver.begin(broker)

    def joined(self, *, again: bool) -> None:
        """Say hello. Wait for the nodes that have to be here too. After a cut, recover missed envelopes."""
        now = time.monotonic()
        self.receiver.echo = self._beat_at = now
        self._said_goodbye = False
        if again:
            self.stats.reconnects += 1
            self._catching_up.cut(now, now + 2 * self.options.heartbeat)
        expected = {*self.membership.nodes, *self._others()} - {self.id}
        if again or expected:
            self._outgoing.hold()
            self.membership.settle(expected, now + self.options.settle_seconds)
        self._joined_clock = self.publisher.time()
        self._speaker.hello(self._info())
        self.introduction.joined(now)
        self.receiver.joined()

    def parted(self) -> None:
        """Drop the questions of other nodes. The clients of this node are served as before."""
        self._answers.clear()
        self.introduction.parted()
        self.receiver.parted()

    def refused(self, entry: Entry, why: str) -> None:
        """Log an envelope that the bus never takes, and abandon its callback."""
        message = self.publisher.refused(entry, why)
        if isinstance(message, Emit) and message.ack:
            self._listener.heard(self.id, Gone(message.ack))

    def leaving(self) -> None:
        """Say goodbye, once."""
        if not self._said_goodbye:
            self._said_goodbye = True
            self._speaker.bye()

    def _echoed(self, sent: float) -> None:
        """Note that what this node has said at this time has come back, and perhaps its mark."""
        self.introduction.heard(sent)
        if self._outgoing.marked and sent >= self._speaker.marked_at:
            self._outgoing.mark_heard()
            self.publisher.wake()

    def _noticed(self, origin: str, notice: Notice) -> None:
        """Handle a notice of another node."""
        self.membership.heard(origin)
        match notice:
            case Hello() | Beat():
                self._present(origin, notice)
            case Bye():
                self._streams.leave(origin)
                self._catching_up.give_up(origin)
                self.membership.left(origin)
            case Late() if self.link is not None:
                self.link.late(notice.seconds)
            case Ask():
                self._answers.ask(origin, notice)
                self.publisher.asked()
            case Answer():
                self._catching_up.answered(origin, notice)
                self._catching_up.turn(time.monotonic())

    def _present(self, origin: str, notice: Hello | Beat) -> None:
        self.membership.present(origin, notice, time.monotonic())
        # An offer that came before the echo may be older than the subscriptions.
        if self.receiver.echo_sent > self._joined_clock:
            self._catching_up.offered(origin, notice.offer, again=isinstance(notice, Hello))

    async def _tick(self) -> None:
        async for now, late in ticks(TICK):
            if late:
                self._streams.grace(now)
                self.receiver.echo = now
            self.publisher.expire(now)
            if self.link is not None and self.link.up and not self._said_goodbye:
                self._turn(now)

    def _turn(self, now: float) -> None:
        settled = self.membership.settled(now)
        if now - self._beat_at >= self.options.heartbeat:
            self._beat_at = now
            self._speaker.beat(self._info())
            self.introduction.said(now, self.publisher.said[-1])
        if greeted := self.membership.greetings.due(now, at_once=settled):
            self._speaker.answer(self._info(), greeted, len(self.membership.nodes))
        if settled:
            self._flow()  # After the answer, whose offer would name what flows. Others would ask for it.
        self._catching_up.turn(now)
        if now - self._checked_at >= CHECK_NODES:
            self._checked_at = now
            self._check_nodes(now)

    def _check_nodes(self, now: float) -> None:
        assert self.link is not None
        if now - self.receiver.echo > self.options.deaf_after:
            self.link.fail("this node does not hear its own heartbeat")
            return
        self._absent.look(now, {*self._others()} - {self.id}, self.membership.nodes)
        self._streams.expire(now)
        self._catching_up.give_up_silent(now)
        self.membership.expire(now)

    def _flow(self) -> None:
        """Publish the waiting envelopes, as the other nodes are back or their time is over."""
        self._outgoing.flow_paced(len(self.nodes))
        self.publisher.wake()

    def _next_answer(self) -> Publication | None:
        answer = self._answers.next()
        return self.publisher.packed(answer[1], self.channels.inbox(answer[0])) if answer else None

    async def _send_the_rest(self) -> None:
        await self.publisher.sent(self.publisher.number)
        self.leaving()
        await self.publisher.told()

    def _info(self) -> NodeInfo:
        me, clients, history = self.options, self._listener.client_count, self.receiver.history
        facts = me.address, clients, self.draining, history, self.bridge, me.recovery_seconds or 0
        return NodeInfo(self.id, me.name or self.id, *facts)
