"""A py-amqp connection that reads its socket in large pieces, and the kombu transport that makes it."""

from __future__ import annotations

import contextlib
import ssl

from kombu.transport import pyamqp

from socketio_cluster.manager.brokers.amqp_frames import BASIC_DELIVER, METHOD, Deliveries, Frame, FrameBuffer
from socketio_cluster.manager.brokers.inbox import REPLY_TIMEOUT

READ_SIZE = 256 * 1024


class Connection(pyamqp.Connection):
    """py-amqp's connection with a time limit: waiting for an answer ends after ``REPLY_TIMEOUT``."""

    deliveries: Deliveries | None = None
    """Gets the frames of ``delivery_channel``. If it is None, py-amqp handles all frames."""
    delivery_channel = 0

    def __init__(self, *args: object, **options: object) -> None:
        self._frames = FrameBuffer()
        super().__init__(*args, **options)

    def blocking_read(self, timeout: float | None = None) -> bool:
        """Wait for one frame and handle it. py-amqp calls this when it waits, for example for bind-ok."""
        while (frame := self._frames.next()) is None:
            self._receive(REPLY_TIMEOUT if timeout is None else timeout)
        return self._handle(frame)

    def read_ready(self) -> None:
        """Handle all frames that have arrived, without waiting."""
        with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError):
            self._receive(0)
        while (frame := self._frames.next()) is not None:
            self._handle(frame)

    def write(self, data: bytes) -> None:
        """Write frames. Raises ``TimeoutError`` if the server does not take them."""
        self.transport.write(data)
        self.bytes_sent += 1  # This counts as a heartbeat.

    def _receive(self, timeout: float) -> None:
        sock = self.transport.sock
        sock.settimeout(timeout)
        try:
            # A TLS record has at most 16 KiB. So a read of this size leaves no bytes behind in the TLS layer,
            # which the selector would not see.
            data = sock.recv(READ_SIZE)
        finally:
            sock.settimeout(REPLY_TIMEOUT)  # This is for py-amqp's writes.
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
        self.bytes_recv += 1  # This counts as a heartbeat.
        self.deliveries.add(kind, payload)
        return False


class Transport(pyamqp.Transport):
    """kombu's transport for amqp:// and amqps:// with this connection."""

    Connection = Connection
