"""An event on its way to the clients of this node. Each form of it is made once for all of them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import msgspec
from engineio import packet as eio

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.clients.packets import Encoded

Form = TypeVar("Form")


class SharedPacket(eio.Packet):  # type: ignore[misc]
    """An Engine.IO packet that several clients share.

    The base class keeps only one encoded form, that of the transport which asked first. With polling and
    WebSocket clients in one room, binary data then reached the second kind in the form of the first.
    """

    def __init__(self, data: str | bytes) -> None:
        super().__init__(eio.MESSAGE, data)
        self._base64: str | None = None

    def encode(self, b64: bool = False) -> str | bytes:
        """Return the packet in the form for a WebSocket, or with ``b64`` in the form for a polling answer."""
        if not (self.binary and b64):
            return super().encode()  # type: ignore[no-any-return]
        if self._base64 is None:
            self._base64 = "b" + base64.b64encode(self.data).decode("ascii")
        return self._base64


class Outgoing(msgspec.Struct, eq=False, gc=False):
    """One event for any number of clients.

    ``rooms`` are the rooms that it was emitted to; None means everybody. ``number`` is the event's number on
    the bus, or 0 for one that the bus does not keep. ``wire`` are the bytes of the whole event for a
    WebSocket, once one connection has made them for all. It is a struct because that is made in half the
    time of another object, for each event.
    """

    encoded: Encoded
    rooms: list[Room] | None = None
    number: int = 0
    wire: bytes | None = None
    _forms: dict[Hashable, Any] | None = None

    def form(self, name: Hashable, make: Callable[[Outgoing], Form]) -> Form:
        """Return this event in another format. ``make`` is called once for each name."""
        if self._forms is None:
            self._forms = {}
        if name not in self._forms:
            self._forms[name] = make(self)
        return self._forms[name]  # type: ignore[no-any-return]

    @property
    def packets(self) -> list[SharedPacket]:
        """The Engine.IO packets, for the queue of a connection."""
        return self.form(SharedPacket, _packets)


def _packets(outgoing: Outgoing) -> list[SharedPacket]:
    head, *attachments = outgoing.encoded.parts
    first: str | bytes = head.decode() if outgoing.encoded.text else head
    return [SharedPacket(part) for part in (first, *attachments)]
