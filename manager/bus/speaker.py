"""``Speaker``: publishes this node's notices, which tell about itself and ask other nodes."""

from __future__ import annotations

from collections.abc import Collection

from socketio_cluster.manager.bus.answers import offer
from socketio_cluster.manager.bus.broker import Publication
from socketio_cluster.manager.bus.channels import Channels
from socketio_cluster.manager.bus.membership import for_all
from socketio_cluster.manager.bus.messages import Ask, Beat, Bye, Hello, Late, Offer
from socketio_cluster.manager.bus.publisher import Publisher
from socketio_cluster.manager.bus.roster import NodeInfo
from socketio_cluster.manager.bus.versions import NEWEST


class Speaker:
    """Publishes the notices of a node. ``serving`` is False for a node that only emits."""

    def __init__(self, publisher: Publisher, channels: Channels, *, serving: bool) -> None:
        self._publisher = publisher
        self._channels = channels
        self._serving = serving
        self.marked_at = 0.0
        """The time in the header of the latest mark."""

    def hello(self, me: NodeInfo) -> None:
        """Tell all nodes that this node is on the bus."""
        notice = Hello(*self._of(me), offer(self._publisher.backlog), *_more(me))
        self._publisher.notice(notice, self._channels.everyone)

    def beat(self, me: NodeInfo) -> None:
        """Tell all nodes that this node is alive."""
        self._publisher.notice(self._heartbeat(me), self._channels.everyone)

    def mark(self, me: NodeInfo) -> Publication:
        """Make a beat to this node alone, whose return tells that it has read everything in front of it."""
        inbox = self._channels.inbox(me.id)
        mark = self._publisher.packed(self._heartbeat(me), inbox, comes_back=True)
        self.marked_at = self._publisher.said[-1]
        return mark

    def answer(self, me: NodeInfo, greeted: Collection[str], nodes: int) -> None:
        """Answer the hellos of these nodes. ``nodes`` is the number of all other nodes."""
        notice = Beat(*self._of(me), offer(self._publisher.backlog), *_more(me))
        if for_all(len(greeted), nodes):
            self._publisher.notice(notice, self._channels.everyone)
        else:
            self._publisher.notice(notice, *map(self._channels.inbox, greeted))

    def ask(self, origin: str, question: Ask) -> None:
        """Ask a sender for what was missed."""
        self._publisher.notice(question, self._channels.inbox(origin))

    def late(self, origins: Collection[str], seconds: float) -> None:
        """Tell these nodes that what they publish comes so many seconds late."""
        self._publisher.notice(Late(seconds), *map(self._channels.inbox, origins), comes_back=False)

    def bye(self) -> None:
        """Tell all nodes that this node leaves."""
        self._publisher.notice(Bye(), self._channels.everyone)

    def _heartbeat(self, me: NodeInfo) -> Beat:
        handed = self._publisher.backlog.handed
        return Beat(*self._of(me), Offer(handed, since=handed, marks=b""), *_more(me))

    def _of(self, me: NodeInfo) -> tuple[str, str, bool, int, bool]:
        return me.name, me.address, self._serving, me.clients, me.draining


def _more(me: NodeInfo) -> tuple[bool, bool, int, str, float]:
    return bool(me.history), me.bridge, NEWEST, me.history, me.recovery_seconds
