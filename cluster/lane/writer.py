"""What waits for one client, and the one write in which it leaves.

Nothing waits for most clients most of the time, and one event for the rest: so what waits is nothing, or
one frame, and a list only from the second on. An object less for each client is a miss of the processor's
cache less for each delivery, and those are a third of what a fan-out costs in Python.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

from engineio import packet as eio

from socketio_cluster.cluster.lane.frames import BINARY, TEXT, close_frame, frame
from socketio_cluster.manager.clients.outgoing import Outgoing

if TYPE_CHECKING:
    from socketio_cluster.cluster.lane.install import ServerLanes

NOWHERE: Final[deque[bytes]] = deque(maxlen=0)
"""Takes what is still sent after the end."""


class LaneWriter(asyncio.Protocol):
    """The way out of a lane: frames wait until the next flush, in the order in which they came.

    Args:
        transport: the connection, after the WebSocket handshake.
        group: what all lanes of a server share.
    """

    __slots__ = ("_group", "_paused", "_pending", "_transport", "_waiting")

    def __init__(self, transport: asyncio.Transport, group: ServerLanes) -> None:
        self._transport = transport
        self._group = group
        self._pending: bytes | list[bytes] | deque[bytes] | None = None
        """None when nothing waits: then the next frame asks for a flush. NOWHERE after the end."""
        self._paused = False
        self._waiting = 0
        """Bytes in ``_pending``, counted while writing is paused."""

    if TYPE_CHECKING:

        def cut_off(self) -> str:
            """End this connection, without what waits."""

    def write(self, outgoing: Outgoing) -> None:
        """Send an event, its attachments behind it."""
        self.write_frame(outgoing.wire or _render(outgoing))

    def write_packet(self, packet: eio.Packet) -> None:
        """Send an Engine.IO packet."""
        encoded = packet.encode()
        if isinstance(encoded, str):
            self.write_frame(frame(TEXT, encoded.encode()))
        else:
            self.write_frame(frame(BINARY, encoded))

    def write_frame(self, wire: bytes) -> None:
        """Send ready frames at the next flush."""
        pending = self._pending
        if pending is None:
            self._pending = wire
            self._group.flusher.add(self)
        elif type(pending) is bytes:
            self._pending = [pending, wire]
        else:
            pending.append(wire)  # type: ignore[union-attr]  # `type() is` costs less than isinstance
        if self._paused:
            self._waiting += len(wire)
            self._weigh()

    def flush(self) -> None:
        """Write what waits, unless the client does not read."""
        pending = self._pending
        if self._paused or pending is None:
            return  # resume_writing flushes; or it did, before the flush that was asked for
        if pending is not NOWHERE:
            self._pending = None
            wire = pending if type(pending) is bytes else b"".join(pending)  # type: ignore[arg-type]
            self._group.stats.sent_bytes += len(wire)
            self._transport.write(wire)

    def pause_writing(self) -> None:
        """Keep what is to be sent: the client does not read fast enough."""
        self._paused = True
        self._pending = self._frames()
        self._waiting = sum(map(len, self._pending))
        self._weigh()

    def resume_writing(self) -> None:
        """Go on writing."""
        self._paused = False
        self.flush()

    @property
    def mark(self) -> int:
        """Bytes above which this client is behind."""
        return self._group.mark

    @property
    def queued(self) -> int:
        """Bytes that the client has not taken yet; 0 after the end."""
        if self._pending is NOWHERE:
            return 0
        waiting = self._waiting if self._paused else sum(map(len, self._frames()))
        return self._transport.get_write_buffer_size() + waiting

    def _frames(self) -> list[bytes] | deque[bytes]:
        """The frames that wait."""
        if self._pending is None:
            return []
        return [self._pending] if isinstance(self._pending, bytes) else self._pending

    def _weigh(self) -> None:
        """Say so when this client is behind."""
        if self.queued > self._group.mark:
            self._group.backpressure.behind(self)

    def _send_close(self, code: int, reason: str) -> bool:
        """Write what waits and a close frame, unless that has been done."""
        if self._pending is NOWHERE or self._transport.is_closing():
            return False
        wire = b"".join((*self._frames(), close_frame(code, reason)))
        self._pending = NOWHERE
        self._transport.write(wire)
        return True


def _render(outgoing: Outgoing) -> bytes:
    """All of an event as it goes on the wire, made once for all lanes."""
    head, attachments = outgoing.encoded.parts[0], outgoing.encoded.parts[1:]
    wire = frame(TEXT, b"4" + head) if outgoing.encoded.text else frame(BINARY, head)
    if attachments:
        wire = b"".join((wire, *(frame(BINARY, part) for part in attachments)))
    outgoing.wire = wire
    return wire
