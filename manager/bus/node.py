"""``Node``: a member of the cluster, on one shard of the bus or on several.

Each shard has a stream of its own, because a bus keeps the order of one server's channels only. The first
shard carries everything but rooms, and tells which nodes there are. Rooms are spread over all shards.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from socketio_cluster.manager.bus.channels import Channels
from socketio_cluster.manager.bus.interest import Interest
from socketio_cluster.manager.bus.link import Link
from socketio_cluster.manager.bus.membership import NodeListener
from socketio_cluster.manager.bus.messages import Message
from socketio_cluster.manager.bus.places import places_of
from socketio_cluster.manager.bus.publisher import OnRecorded
from socketio_cluster.manager.bus.publishers import Publishers
from socketio_cluster.manager.bus.receiver import Receiver
from socketio_cluster.manager.bus.registry import safe_url
from socketio_cluster.manager.bus.roster import NodeInfo
from socketio_cluster.manager.bus.shard import Shard
from socketio_cluster.manager.bus.sharded_channels import ShardedChannels
from socketio_cluster.manager.ids import new_node_id
from socketio_cluster.manager.stats import Stats

if TYPE_CHECKING:
    from socketio_cluster.manager.options import Options


class Node:
    """One member of the cluster. Without a bus (``options.url`` is None) it is the only one.

    Args:
        options: the settings.
        listener: gets the messages of other nodes.
        stats: the counters.
        serving: False for a process that only emits.
        bridge: True for a node that has to hear every emit of the others.
    """

    def __init__(
        self,
        options: Options,
        listener: NodeListener,
        stats: Stats,
        *,
        serving: bool = True,
        bridge: bool = False,
    ) -> None:
        self.id = new_node_id()
        self.options = options
        self.stats = stats
        places = places_of(options.url, options.prefix)
        prefixes = [place.prefix for place in places]
        self.channels = ShardedChannels(prefixes) if len(places) > 1 else Channels(options.prefix)
        self._first = Shard(self.id, places[0], options, listener, stats, serving=serving)
        further = partial(Shard, self.id, serving=serving, others=lambda: self._first.nodes)
        self.shards = [
            self._first,
            *(further(place, options, Rooms(listener), stats) for place in places[1:]),
        ]
        for shard in self.shards if bridge else ():
            shard.bridge = True
            shard.interest.want(shard.channels.bridges_beside(shard.channels.everyone))
        self.publisher = Publishers([shard.publisher for shard in self.shards])
        """Publishes the envelopes of all shards."""
        self._only = self._first.publisher if len(places) == 1 else None

    @property
    def alone(self) -> bool:
        """Whether this node has no bus."""
        return self._first.link is None

    @property
    def ready(self) -> bool:
        """Whether this node is on all shards and hears the others. A node that is alone is always ready."""
        return all(shard.ready for shard in self.shards)

    @property
    def hears(self) -> bool:
        """Whether this node hears the others on the first shard, so that it can ask them."""
        return self._first.ready

    @property
    def away(self) -> list[str]:
        """The names of the shards that this node is not on, for people."""
        return [self._name(number) for number, shard in enumerate(self.shards) if not shard.ready]

    @property
    def draining(self) -> bool:
        """Whether this node is draining."""
        return self._first.draining

    @property
    def link(self) -> Link | None:
        """The link to the first shard. None means that there is no bus."""
        return self._first.link

    @property
    def interest(self) -> Interest:
        """The channels of the first shard that this node needs."""
        return self._first.interest

    def on_recorded(self, call: OnRecorded) -> None:
        """Call a function with each envelope that the bus is to number."""
        self._first.publisher.on_recorded = call

    @property
    def receiver(self) -> Receiver:
        """Reads the envelopes of the first shard."""
        return self._first.receiver

    @property
    def nodes(self) -> dict[str, NodeInfo]:
        """The live nodes by id. This node is one of them if it serves clients."""
        return self._first.nodes

    @property
    def bridges(self) -> list[str]:
        """The ids of the live nodes that are bridges, without this one."""
        return self._first.membership.bridges

    @property
    def bridged(self) -> bool:
        """Whether an emit has to go to bridges too. A node that does not know all others yet assumes so."""
        return bool(self._first.membership.bridges) or not self.acquainted

    @property
    def acquainted(self) -> bool:
        """Whether this node has been on the bus for long enough to know all others, or is alone."""
        return self._first.introduction.over or self.alone

    def knows(self, node: str) -> bool:
        """Whether this is the id of a live node or of this node."""
        return self._first.knows(node)

    def silence(self, node: str, now: float) -> float:
        """Return for how many seconds a node was not heard; infinity for one that is not known."""
        return self._first.silence(node, now)

    async def start(self, wait: float) -> None:
        """Connect to the bus. Returns when it is reached, or after ``wait`` seconds; the node goes on trying.

        Raises ``SettingError`` for a URL that the broker cannot work with.
        """
        await asyncio.gather(*(shard.start(wait) for shard in self.shards))

    async def reached(self) -> None:
        """Return when the first shard is reached, by which this node hears the others."""
        await self._first.reached()

    async def reached_any(self) -> None:
        """Return when one of the shards is reached. What is for the others waits for them."""
        if any(shard.ready for shard in self.shards):
            return
        waiting = [asyncio.ensure_future(shard.reached()) for shard in self.shards]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()

    async def introduced(self, seconds: float | None = None) -> bool:
        """Wait until this node knows every live node. See ``Introduction.wait``."""
        return await self._first.introduced(seconds)

    def reached_at(self, address: str) -> None:
        """Tell the other nodes this address from the next heartbeat on, not the one in the options."""
        for shard in self.shards:
            shard.options = replace(shard.options, address=address)

    def drain(self) -> None:
        """Tell the other nodes that this node is draining."""
        for shard in self.shards:
            shard.drain()

    async def close(self) -> None:
        """Send the remaining envelopes, say goodbye and leave the bus, within about a second."""
        await asyncio.gather(*(shard.close() for shard in self.shards))

    async def subscribe(self, channel: str) -> None:
        """Add a channel to the interest. Returns when the subscription is in effect, or its shard is away."""
        if (subscribing := self.subscribing(channel)) is not None:
            await subscribing

    def subscribing(self, channel: str) -> asyncio.Future[None] | None:
        """Do as ``subscribe``, and return what has to be awaited, or None if nobody has to wait."""
        if self.subscribed_to(channel):
            return None  # otherwise the link would be woken, and find nothing to do
        return self.shards[self.channels.shard(channel)].subscribing(channel)

    def subscribed_to(self, channel: str) -> bool:
        """Whether ``subscribe`` was called for a channel, and would return at once."""
        shard = self.shards[self.channels.shard(channel)]
        return shard.interest.has(channel) if shard.link is not None else channel in shard.interest.wanted

    def unsubscribe(self, channel: str) -> None:
        """Remove a channel from the interest."""
        self.shards[self.channels.shard(channel)].unsubscribe(channel)

    def post(self, message: Message, *channels: str) -> int:
        """Publish a message to channels of one shard, and return its number. See ``Publisher.post``.

        Raises ``ValueError`` for channels of several shards.
        """
        if self._only is not None:
            return self._only.post(message, channels)  # Nearly always; its numbers are the same.
        if len(channels) > 1 and not self.channels.together(channels):
            raise ValueError("an envelope goes to channels of one shard")
        return self.publisher.post(self.channels.shard(channels[0]), message, channels)

    def posting_parts(self) -> dict[str, Any] | None:
        """Return what ``native/_emit.c`` publishes with, by its names; None unless there is one shard."""
        if self._only is None or self.alone:
            return None
        first = self._first
        knowing = {"introduction": first.introduction, "roster": first.membership.roster}
        return {**self._only.posting_parts(), **knowing, "wanted": first.interest.wanted}

    def is_free(self, channel: str) -> bool:
        """Whether the shard of a channel is reached, and takes at once what is posted."""
        shard = self.shards[self.channels.shard(channel)]
        return shard.ready and not shard.publisher.full

    def _name(self, number: int) -> str:
        if len(self.shards) == 1:
            return "the bus"
        return f"shard {number} of the bus ({safe_url(self.shards[number].place.url or '')})"


class Rooms:
    """Gets the messages for rooms on a shard that is not the first, which alone tells of nodes."""

    def __init__(self, listener: NodeListener) -> None:
        self._listener = listener
        self.heard = listener.heard

    def node_here(self, node: str, *, greets: bool) -> None:
        """Do nothing: the first shard tells."""

    def node_gone(self, node: str, *, died: bool) -> None:
        """Do nothing: the first shard tells."""

    @property
    def client_count(self) -> int:
        """How many clients this node serves."""
        return self._listener.client_count
