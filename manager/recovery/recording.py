"""Posts events that the bus numbers and keeps, for nodes and for emitters."""

from __future__ import annotations

import logging
import time

from socketio_cluster.manager.bus.broker import Broker
from socketio_cluster.manager.bus.messages import Emit, Recorded, SelectiveEmit
from socketio_cluster.manager.bus.node import Node
from socketio_cluster.manager.bus.query_messages import Recipients
from socketio_cluster.manager.bus.receiver import Event
from socketio_cluster.manager.bus.roster import UNNAMED
from socketio_cluster.manager.bus.store import Look, Place, Store, cluster_of
from socketio_cluster.manager.clients.packets import Encoded
from socketio_cluster.manager.errors import EventTooLarge, SettingError
from socketio_cluster.manager.recovery.keeper import Keeper
from socketio_cluster.manager.recovery.order import begun_since
from socketio_cluster.manager.recovery.routes import route

logger = logging.getLogger("socketio_cluster.manager")


def recorded(encoded: Encoded, whom: Recipients, skip: list[str]) -> Recorded:
    """Return the message with an event that the bus numbers and keeps."""
    event = Emit(whom.namespace, whom.rooms, skip, encoded.parts, encoded.text)
    return Recorded(event, whom.except_, whom.where)


def post_recorded(node: Node, message: Recorded) -> int:
    """Post an event that the bus numbers and keeps, and return its number in the stream of this node.

    An event to an empty list of rooms is for nobody, and its number is 0. Raises ``EventTooLarge``.
    """
    event = message.event
    channels, histories = route(node.channels, event.namespace, event.rooms)
    if not channels:
        return 0
    number = node.shards[0].publisher.post(message, channels, histories)
    if node.bridged:
        post_beside(node, message, node.channels.bridges_beside(channels[0]))
    return number


def post_beside(node: Node, message: Recorded, channel: str) -> None:
    """Post a recorded event to the channel of bridges. They keep no history, so there it is not recorded.

    It is some bytes longer there. If it is too large for that, it is counted as dropped and logged, because
    the recorded one is on its way.
    """
    try:
        node.post(SelectiveEmit(message.event, message.except_, False, message.where), channel)
    except EventTooLarge as error:
        node.stats.dropped += 1
        logger.error("bridges do not get an event: %s", error)


class Recording:
    """Whether an emitter's events are recorded. They are if any node of the cluster records.

    An event that is not recorded would be missing when clients come back, and nobody would know. So an
    emitter has no setting for it: it asks the bus when it connects, and hears it from the nodes.
    """

    def __init__(self, node: Node, keeper: Keeper) -> None:
        self._node = node
        self._keeper = keeper
        self._begun = False
        self._epoch = ""
        self._keeps = True
        self._mine = {"", UNNAMED}
        """The histories that this emitter's events were kept in, and what nodes say that name none."""

    @property
    def history(self) -> str:
        """An empty text: nobody compares an emitter with the nodes."""
        return ""

    @property
    def on(self) -> bool:
        """Whether the events have to be recorded.

        The nodes are believed as soon as one is known: a bus remembers a history for a while after the nodes
        have stopped to keep one, and then nobody takes events from it.
        """
        nodes = self._node.nodes.values()
        return any(info.history for info in nodes) if nodes else self._begun

    async def agree(self) -> None:
        """Find out whether the nodes keep their events where those of this emitter are kept.

        Raises ``SettingError`` if they do not: the events would reach nobody. Raises ``BrokerError``.
        """
        if self._keeps and self._apart():
            place = await self._keeper.place()
            if place is not None:
                self._mine.add(place.epoch)
            if names := self._apart():
                raise SettingError(
                    f"{', '.join(names)}: events are kept elsewhere, where those of this emitter do not come:"
                    " give it the recovery_url of the nodes"
                )

    def _apart(self) -> list[str]:
        return [info.name for info in self._node.nodes.values() if info.history not in self._mine]

    def post(self, encoded: Encoded, whom: Recipients, skip: list[str]) -> int:
        """Post an event, as ``post_recorded``, and return its number.

        Raises ``SettingError`` if this emitter does not know what keeps events.
        """
        if not self._keeps:
            raise SettingError(
                "the nodes of this bus keep events in a Redis: give this emitter recovery_url too"
            )
        return post_recorded(self._node, recorded(encoded, whom, skip))

    async def begin(self, broker: Broker) -> float | None:
        """Ask the bus. See ``Recorder.begin``."""
        cluster, now = cluster_of(self._node.channels.everyone), time.monotonic()
        self._keeps = isinstance(broker, Store)
        place = await broker.ask(cluster, Look()) if isinstance(broker, Store) else None
        self._begun = isinstance(place, Place)
        if not isinstance(place, Place):
            return None
        since, self._epoch = begun_since(self._epoch, place, now), place.epoch
        return since

    def joined(self) -> None:
        """Do nothing: an emitter has no clients that could have missed events."""

    def parted(self) -> None:
        """Do nothing."""

    def own(self, envelope: bytes) -> None:
        """Remember nothing: an emitter serves no clients."""

    def numbered(self, epoch: str, number: int, event: Event, size: int) -> None:
        """Ignore an event, because an emitter serves no clients."""
