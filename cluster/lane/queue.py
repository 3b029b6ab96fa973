"""``LaneQueue``: the queue of a client whose packets need none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engineio.packet import Packet

    from socketio_cluster.cluster.lane.connection import Lane


class LaneQueue:
    """Stands in for the queue of a socket. It is always empty: each packet goes to the lane at once."""

    __slots__ = ("lane",)

    def __init__(self, lane: Lane) -> None:
        self.lane = lane

    @property
    def waiting(self) -> int:
        """The bytes that wait for the client, by the name that the queue of a polling client has for it."""
        return self.lane.queued

    @property
    def free(self) -> bool:
        """Whether the client would get an event at once."""
        return self.lane.free

    def empty(self) -> bool:
        """Return True: nothing waits here."""
        return True

    def put_nowait(self, packet: Packet | None) -> None:
        """Send a packet. None, by which python-engineio marks the end, is left out."""
        if packet is not None:
            self.lane.write_packet(packet)

    async def put(self, packet: Packet | None) -> None:
        """Send a packet."""
        self.put_nowait(packet)

    async def join(self) -> None:
        """Return at once, because nothing waits here."""
