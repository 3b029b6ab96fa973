"""The frames that wait for one client, and the one write in which they leave.

Most of the time nothing waits for a client, or one event does. So ``_pending`` is nothing or one frame, and
becomes a list only with the second. One object less for each client is one cache miss of the processor less
for each delivery, and those misses are a third of what a fan-out costs in Python.

``_write.c`` does ``write`` and ``flush`` in C while nothing is paused: what changes there changes here too.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

from engineio import packet as eio

from socketio_cluster.cluster.lane.frames import BINARY, TEXT, close_frame, frame, message_frame
from socketio_cluster.manager.clients.outgoing import Outgoing

if TYPE_CHECKING:
    from socketio_cluster.cluster.lane.install import ServerLanes

logger = logging.getLogger("socketio_cluster.cluster")

NOWHERE: Final[deque[bytes]] = deque(maxlen=0)
"""This queue keeps nothing. It takes the frames that are still written after the close frame."""


class LaneState(IntEnum):
    """How far a lane has come; it only goes forward."""

    CONNECTING = 0
    """The session does not use this lane yet: a client that upgrades from polling must send its probe."""
    PROBED = 1
    """The probe is answered: the client may send the packet that ends the upgrade."""
    OPEN = 2
    """The session uses this lane."""
    CLOSING = 3
    """The close frame is written, or the connection is cut: nothing more is sent."""
    CLOSED = 4
    """The connection has ended."""


CONNECTING, PROBED, OPEN, CLOSING, CLOSED = LaneState


class LaneWriter(asyncio.Protocol):
    """The sending half of a lane: frames wait until the next flush, in the order in which they came.

    Args:
        transport: the connection, after the WebSocket handshake.
        socket: python-engineio's socket.
        group: the things that all lanes of a server share.
    """

    __slots__ = ("_group", "_paused", "_pending", "_transport", "_waiting", "socket", "state")

    def __init__(self, transport: asyncio.Transport, socket: Any, group: ServerLanes) -> None:
        self._transport = transport
        self._group = group
        self.socket = socket
        self.state = CONNECTING
        """Only ``enter`` changes it. It is a plain attribute because every packet that comes in reads it."""
        self._pending: bytes | list[bytes] | deque[bytes] | None = None
        """None when nothing waits: then the next frame asks for a flush. NOWHERE from CLOSING on."""
        self._paused = False
        """Whether the transport's buffer is full. This is flow control, which comes and goes in any state."""
        self._waiting = 0
        """The bytes in ``_pending``, counted while writing is paused."""

    if TYPE_CHECKING:

        def cut_off(self) -> str:
            """End this connection, without what waits."""

    def enter(self, state: LaneState) -> None:
        """Change the state. From CLOSING on, frames that wait and frames written later are thrown away."""
        logger.debug("the lane of client %s is %s", self.socket.sid, state.name)
        self.state = state
        if state >= CLOSING:
            self._pending = NOWHERE

    def write(self, outgoing: Outgoing) -> None:
        """Send an event, with its attachments behind it."""
        wire = outgoing.wire or _render(outgoing)
        if self._pending is None:  # as in `write_frame`; a call for each delivery would cost too much here
            self._pending = wire
            self._group.flusher.add(self)
        else:
            self.write_frame(wire)

    def write_packet(self, packet: eio.Packet) -> None:
        """Send an Engine.IO packet."""
        encoded = packet.encode()
        if isinstance(encoded, str):
            self.write_frame(frame(TEXT, encoded.encode()))
        else:
            self.write_frame(frame(BINARY, encoded))

    def write_frame(self, wire: bytes) -> None:
        """Send ready frames at the next flush. From CLOSING on this does nothing."""
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

    def write_answer(self, wire: bytes) -> None:
        """Send ready frames that only this client gets: at once, if nothing waits before them.

        No other frame would share a flush with it, so there is nothing to gain from a later one.
        """
        if self._pending is None and not self._paused:
            self._group.stats.sent_bytes += len(wire)
            self._transport.write(wire)
        else:
            self.write_frame(wire)

    def flush(self) -> None:
        """Write the frames that wait, unless the client does not read."""
        pending = self._pending
        if self._paused or pending is None:
            return  # resume_writing will flush, or it has flushed before this flush came
        if pending is not NOWHERE:
            self._pending = None
            wire = pending if type(pending) is bytes else b"".join(pending)  # type: ignore[arg-type]
            self._group.stats.sent_bytes += len(wire)
            self._transport.write(wire)

    def pause_writing(self) -> None:
        """Keep frames here from now on: the client does not read fast enough."""
        self._paused = True
        self._pending = self._frames()
        self._waiting = sum(map(len, self._pending))
        self._weigh()

    def resume_writing(self) -> None:
        """Write again, beginning with the frames that wait."""
        self._paused = False
        self.flush()

    @property
    def mark(self) -> int:
        """The number of bytes above which this client is behind."""
        return self._group.mark

    @property
    def free(self) -> bool:
        """Whether the client has taken all that was written; what waits for the next flush does not count."""
        if self.state >= CLOSING or self._paused:
            return False
        return not self._transport.get_write_buffer_size()

    @property
    def queued(self) -> int:
        """The bytes that the client has not taken yet; 0 from CLOSING on."""
        if self.state >= CLOSING:
            return 0
        waiting = self._waiting if self._paused else sum(map(len, self._frames()))
        return self._transport.get_write_buffer_size() + waiting

    def _frames(self) -> list[bytes] | deque[bytes]:
        """Return the frames that wait."""
        if self._pending is None:
            return []
        return [self._pending] if isinstance(self._pending, bytes) else self._pending

    def _weigh(self) -> None:
        """Report this client to the slow-consumer policy when it is behind."""
        if self.queued > self._group.mark:
            self._group.backpressure.behind(self)

    def _send_close(self, code: int, reason: str) -> bool:
        """Write the frames that wait and a close frame; return False when that was done before."""
        if self.state >= CLOSING or self._transport.is_closing():
            return False
        wire = b"".join((*self._frames(), close_frame(code, reason)))
        self.enter(CLOSING)
        self._transport.write(wire)
        return True


def _render(outgoing: Outgoing) -> bytes:
    """Return the frames of an event. They are made once, and kept in it for all lanes."""
    encoded = outgoing.encoded
    parts = encoded.parts
    wire = message_frame(parts[0]) if encoded.text else frame(BINARY, parts[0])
    if len(parts) > 1:
        wire = b"".join((wire, *(frame(BINARY, part) for part in parts[1:])))
    outgoing.wire = wire
    return wire
