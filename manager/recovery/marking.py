"""Marks events with their offset for clients that know recovery, each event once for all of them."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.clients.client import Client
from socketio_cluster.manager.clients.fanout import Fanout
from socketio_cluster.manager.clients.outgoing import Outgoing
from socketio_cluster.manager.clients.packets import Encoded, decode, encode, has_ack_place
from socketio_cluster.manager.recovery.offset import write_offset

logger = logging.getLogger("socketio_cluster.manager")

if TYPE_CHECKING:
    from socketio_cluster.manager.client_manager import ClusterManager
    from socketio_cluster.manager.recovery.order import Order


class Marked(Outgoing, kw_only=True, eq=False, gc=False):
    """An event with its offset.

    ``plain`` is the event without it, and ``offset`` the offset alone. With ``number`` 0 that is the place of
    the event before this one.
    """

    plain: Encoded
    offset: str


class MarkingFanout(Fanout):
    """Delivers events, with an offset to the clients that know recovery.

    Every event without an ack gets one, because the client takes the last argument of any event for an offset
    if it is a text.
    """

    __slots__ = ("_is_json", "_order", "replayed")

    def __init__(self, manager: ClusterManager, order: Order[Any]) -> None:
        super().__init__(manager)
        self._order = order
        self._is_json: bool | None = None
        """Whether events are in Socket.IO's JSON format, so that an argument is added by its bytes.

        Not known before the first event.
        """
        self.replayed = 0
        """The largest number up to which events were replayed to any client."""

    def native_parts(self) -> dict[str, Any]:
        """Return what ``native/deliver.h`` marks events with, by the names there."""
        return {"fanout": self, "marked": Marked, "order": self._order}

    def send(self, clients: Collection[Client], encoded: Encoded, rooms: list[Room] | None) -> None:
        """Hand an event that is not recorded to clients."""
        self.send_numbered(clients, encoded, rooms, 0)

    def send_numbered(
        self, clients: Collection[Client], encoded: Encoded, rooms: list[Room] | None, number: int
    ) -> None:
        """Hand an event to clients, but for those to whom it was replayed already."""
        at = number or self._order.seen
        if self.replayed >= (number or at + 1):
            clients = self._due(clients, encoded, rooms, number)
        marked = plain = None
        for client in clients:
            if client.session is not None:
                if marked is None:
                    marked = self._marked(encoded, rooms, number, at)
                client.send(marked)
            else:
                if plain is None:
                    plain = Outgoing(encoded, rooms, number)
                client.send(plain)

    def _due(
        self, clients: Collection[Client], encoded: Encoded, rooms: list[Room] | None, number: int
    ) -> list[Client]:
        """Return the clients to whom the event was not replayed.

        An event without a number is for all of them. Those to whom more was replayed than the node itself has
        seen get it here, with an offset of their own.
        """
        if number:
            return [each for each in clients if each.session is None or each.session.upto < number]
        due = []
        for client in clients:
            if client.session is None or client.session.upto <= self._order.seen:
                due.append(client)
            else:
                client.send(self.marked(encoded, rooms, 0, at_least=client.session.upto))
        return due

    def marked(self, encoded: Encoded, rooms: list[Room] | None, number: int, *, at_least: int = 0) -> Marked:
        """Return an event with its offset.

        Number 0 stands for an event that is not recorded; its offset is then ``at_least`` this number.
        """
        return self._marked(encoded, rooms, number, number or max(self._order.seen, at_least))

    def old(self, encoded: Encoded, rooms: list[Room] | None, at: int) -> Marked:
        """Return an event of a room's history, for a client that has got everything up to the number ``at``.

        With its own number as the offset the client would go back: it would get newer events again.
        """
        return self._marked(encoded, rooms, 0, at)

    def _marked(self, encoded: Encoded, rooms: list[Room] | None, number: int, at: int) -> Marked:
        offset = write_offset(self._order.epoch, at)
        if self._is_json is None:
            self._is_json = has_ack_place(self._manager.packet_class)  # type: ignore[arg-type]
        parts = encoded.parts.copy()
        if self._is_json and encoded.text and parts[0].endswith(b"]"):
            parts[0] = parts[0][:-1] + f',"{offset}"]'.encode()
            marked = Encoded(parts, True)
        else:
            marked = self._read_again(encoded, offset)
        return Marked(marked, rooms, number, plain=encoded, offset=offset)

    def _read_again(self, encoded: Encoded, offset: str) -> Encoded:
        """Return an event of another format with one more argument."""
        try:
            packet = decode(self._manager.packet_class, encoded.parts, encoded.text)
            packet.data.append(offset)
            return encode(packet)
        except Exception:
            # Formats of an application may not read all that they write. To lose the event would be worse
            # than to send it again to a client that is cut off before the next one.
            logger.exception("an event cannot be read again to add its offset: it goes out without")
            return encoded
