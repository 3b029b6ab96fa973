"""A py-amqp connection that reads its socket in large pieces, and the kombu transport that makes it."""

from __future__ import annotations

import contextlib
import ssl

from kombu.transport import pyamqp

from socketio_cluster.manager.brokers.amqp_frames import BASIC_DELIVER, METHOD, Deliveries, Frame, FrameBuffer
from socketio_cluster.manager.brokers.inbox import REPLY_TIMEOUT

READ_SIZE = 256 * 1024


class Connection(pyamqp.Connection):
    """py-amqp's connection; whatever waits for an answer waits ``REPLY_TIMEOUT`` at most."""

    deliveries: Deliveries | None = None
    """Takes the frames of ``delivery_channel``; without it py-amqp handles everything."""
    delivery_channel = 0

    def __init__(self, *args: object, **options: object) -> None:
        self._frames = FrameBuffer()
        super().__init__(*args, **options)

    def blocking_read(self, timeout: float | None = None) -> bool:
        """Handle one frame: py-amqp's own waiting (for bind-ok and the like) ends up here."""
        while (frame := self._frames.next()) is None:
            self._receive(REPLY_TIMEOUT if timeout is None else timeout)
        return self._handle(frame)

    def read_ready(self) -> None:
        """Handle every frame that is there, without waiting."""
        with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError):
            self._receive(0)
        while (frame := self._frames.next()) is not None:
            self._handle(frame)

    def write(self, data: bytes) -> None:
        """Write ready-made frames; raises ``TimeoutError`` when the server does not take them."""
        self.transport.write(data)
        self.bytes_sent += 1  # counts as a heartbeat

    def _receive(self, timeout: float) -> None:
        sock = self.transport.sock
        sock.settimeout(timeout)
        try:
            # One TLS record is at most 16 KiB: a read of this size leaves nothing behind in the TLS layer
            # that the selector would not see.
            data = sock.recv(READ_SIZE)
        finally:
            sock.settimeout(REPLY_TIMEOUT)  # for the writes, which are py-amqp's
        if not data:
            raise OSError("the server closed the connection")
        self._frames.feed(data)

    def _handle(self, frame: Frame) -> bool:
        kind, channel, payload = frame
        if (
            self.deliveries is None
            or channel != self.delivery_channel
            or (kind == METHOD and not payload.startswith(BASIC_DELIVER))
        ):
            return bool(self.on_inbound_frame(frame))
        self.bytes_recv += 1  # counts as a heartbeat
        self.deliveries.add(kind, payload)
        return False


class Transport(pyamqp.Transport):
    """kombu's amqp:// and amqps:// on this connection."""

    Connection = Connection
