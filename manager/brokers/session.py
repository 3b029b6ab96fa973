"""A session: one blocking connection to the bus, as its thread sees it."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Protocol

from socketio_cluster.manager.bus.broker import Delivery, Publication


class Session(Protocol):
    """All methods but ``abort`` belong to one thread; any of them may raise what its library raises."""

    sock: socket.socket | None
    """Readable when there is something to read; None when the library shows no such socket."""
    nap: float
    """Seconds the thread may sleep between two reads while nothing else wakes it."""
    published: int
    """Number of the last message sent."""
    confirmed: int
    """The bus has answered for every message up to this number."""
    refused: set[int]
    """Numbers of those it has not taken; whoever sent them removes them."""

    def bind(self, keys: Sequence[str]) -> None:
        """Have the messages of these keys sent here; returns when that is in effect."""

    def unbind(self, keys: Sequence[str]) -> None:
        """Give these keys up."""

    def publish(self, batch: Sequence[Publication]) -> int:
        """Send the batch; the bus has answered for it once ``confirmed`` reaches the number given."""

    def read(self) -> list[Delivery]:
        """Handle what the bus has sent; give the deliveries in it."""

    def tick(self) -> None:
        """Called about once per second: send a heartbeat, miss those of the other side."""

    def close(self) -> None:
        """Let the connection and the queue go; never raises."""

    def abort(self) -> None:
        """Cut the connection, so that the thread stops waiting for it."""
