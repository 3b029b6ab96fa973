"""``Gate``: holds a client's live events while the history of a room is read, and drops those it stands for.

This is pure book-keeping.
"""

from __future__ import annotations

from collections.abc import Iterable

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.clients.client import Client, HeldEvents
from socketio_cluster.manager.clients.outgoing import Outgoing


class Gate:
    """What a client's events pass through from the time that it enters a room with history.

    The bus may say what the history is before this node gets the last events of it live. So the gate stays
    until a newer event comes.

    Args:
        client: whose events they are.
        most: the bytes that are held.
    """

    def __init__(self, client: Client, most: int) -> None:
        self._client = client
        self._most = most
        self._held: HeldEvents | None = None
        self._upto: dict[Room, int] = {}

    def close(self) -> None:
        """Hold events from now on."""
        self._held = HeldEvents(self._most)
        self._client.let_through(self)

    def open(self, room: Room, upto: int, history: Iterable[Outgoing]) -> bool:
        """Send the history of a room, which stands for its events up to a number, and then those held.

        Returns False if some events were not held.
        """
        held, self._held = self._held, None
        self._upto[room] = upto
        for outgoing in history:
            self._client.onward(outgoing)
        if held is None:
            return True
        for outgoing in held.events:
            self.put(outgoing)
        return not held.overflowed

    def put(self, outgoing: Outgoing) -> None:
        """Take a live event."""
        if self._held is not None:
            self._held.put(outgoing)
        elif not self._is_old(outgoing):
            if outgoing.number > max(self._upto.values()):
                self._client.let_through(None)
            self._client.onward(outgoing)

    def _is_old(self, outgoing: Outgoing) -> bool:
        """Whether the client gets an event only by rooms whose history stands for it."""
        through = rooms_of(self._client, outgoing.rooms)
        number = outgoing.number
        return bool(number and through) and all(number <= self._upto.get(room, 0) for room in through)


def rooms_of(client: Client, rooms: list[Room] | None) -> set[Room]:
    """Return those of an event's rooms through which a client gets it; none if it is for everybody."""
    return {room for room in rooms or () if room in client.rooms or room == client.sid}
