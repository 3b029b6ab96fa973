"""``HeldRoom``: all that a node keeps about the presence in one room. Pure book-keeping."""

from __future__ import annotations

from collections.abc import Iterator

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.bus.presence_messages import PresenceChange
from socketio_cluster.manager.presence.book import Book
from socketio_cluster.manager.presence.calls import Calls
from socketio_cluster.manager.presence.own import Own
from socketio_cluster.manager.presence.shown import Shown

RoomId = tuple[str, Room]
"""A namespace and a room."""


class HeldRoom:
    """A room whose presence this node holds: it has clients who want to know it, or it is a keeper.

    Args:
        id: the namespace and the room.
        me: this node.
        versions: gives the versions of this node's changes.
    """

    def __init__(self, id: RoomId, me: str, versions: Iterator[int]) -> None:  # noqa: A002
        self.id = id
        self.book = Book()
        self.own = Own(self.book, me, versions)
        self.calls = Calls(self.book)
        self.shown: Shown | None = None
        """The state that the watchers know. None means that there are no watchers."""
        self.watchers: set[str] = set()
        """The clients of this node that get diffs."""
        self.newcomers: dict[str, None] = {}
        """Those that have to get the state first, in order."""
        self.keepers: tuple[str, ...] = ()
        self.kept_until = 0.0
        """Until when a former keeper may be asked by its successor."""
        self.led_until = 0.0
        """Until when a former first keeper hands over to each new one: a node that is the first one here, as
        others were not heard yet, may not be the first one for itself."""
        self.complete = False
        """Whether this node knows what the keepers know, or they have not answered."""
        self.found = False
        """Whether it does know. Before that, it cannot tell which handlers are due."""
        self.uncalled: dict[str, None] = {}
        """The keys that have changed before that."""
        self.search = 0
        """The number of the last search for what the keepers know."""
        self.strangers: set[str] = set()
        """The nodes that have said something about the room before they were known here."""
        self.asked: tuple[str, ...] = ()
        """The nodes that were asked last, when this node was a new keeper."""
        self.asked_at = 0.0
        self.repairing: set[str] = set()
        """The nodes of which a change was missed, and which are asked for their clients."""
        self.waiting: list[tuple[str, PresenceChange]] = []
        """The changes, each with its sender, that came meanwhile."""
        self.telling = False
        """Whether a diff is on its way to the clients."""
        self.due = 0.0
        """When the next diff may be sent."""

    @property
    def empty(self) -> bool:
        """Whether nothing is known of the room that anybody could need."""
        return not (self.book.keys or self.calls.joined or self.calls.left or self.wanted)

    @property
    def wanted(self) -> bool:
        """Whether clients of this node are present or watch."""
        return bool(self.watchers or self.newcomers or self.own.entries or self.own.changed)

    def change(self, node: str, change: PresenceChange) -> bool:
        """Carry out a change by another node, or keep it for later.

        Returns False when an earlier change is missing: then the node has to be asked, and ``repaired`` be
        called.
        """
        if not self.complete or node in self.repairing:
            self.waiting.append((node, change))
            return True
        if self.book.change(node, change.since, change.version, change.entries, change.left):
            return True
        self.repairing.add(node)
        self.waiting.append((node, change))
        return False

    def take_waiting(self) -> list[tuple[str, PresenceChange]]:
        """Return the changes that were kept, to be carried out now."""
        waiting, self.waiting = self.waiting, []
        return waiting
