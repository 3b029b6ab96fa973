"""What python-engineio puts into a connection's queue, on a lane."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engineio.packet import Packet

    from socketio_cluster.cluster.lane.connection import Lane


class LaneQueue:
    """Stands in for the queue of a socket: what is put goes to the lane at once, so it is always empty."""

    __slots__ = ("lane",)

    def __init__(self, lane: Lane) -> None:
        self.lane = lane

    @property
    def waiting(self) -> int:
        """The bytes that wait for the client, as the outbox of a polling client has it."""
        return self.lane.queued

    def put_nowait(self, packet: Packet | None) -> None:
        """Send a packet; None, python-engineio's mark of the end, is nothing."""
        if packet is not None:
            self.lane.write_packet(packet)

    async def put(self, packet: Packet | None) -> None:
        """Send a packet."""
        self.put_nowait(packet)

    async def join(self) -> None:
        """Return: nothing waits here."""
