"""One AMQP connection to RabbitMQ, used by one thread only."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Sequence
from uuid import uuid4

from kombu.connection import Connection as Client

from socketio_cluster.manager.brokers.amqp_connection import Connection
from socketio_cluster.manager.brokers.amqp_frames import Deliveries, publish_frames
from socketio_cluster.manager.bus.broker import Delivery, Publication
from socketio_cluster.manager.bus.channels import routing_key

EXCHANGE = "socketio-cluster"
"""One for all clusters: their prefixes are in the routing keys."""

TAG = "node"
CHUNK = 128 * 1024
"""Bytes per write. Confirms are read in between: a server that cannot get rid of them stops reading."""


class AmqpSession:
    """Publishes with confirms; with ``consume`` it has the node's queue instead.

    The queue is exclusive: it lives and dies with the connection, and RabbitMQ 4.3 refuses any other kind
    that is not durable. While a node stands still its queue grows in RabbitMQ, until the heartbeat ends
    both.
    """

    nap = 1.0

    def __init__(self, client: Client, *, consume: bool) -> None:
        self.published = self.confirmed = 0
        self.refused: set[int] = set()
        self._early: set[int] = set()
        self._connection: Connection = client.transport.establish_connection()
        self.sock: socket.socket | None = self._connection.sock
        try:
            self._channel = self._connection.channel()
            self._channel.exchange_declare(EXCHANGE, "direct", durable=True, auto_delete=False)
            if consume:
                self._consume()
            else:
                self._confirm()
        except BaseException:
            self._connection.collect()
            raise

    def bind(self, keys: Sequence[str]) -> None:
        """Have the messages of these keys sent here; returns when the server has agreed."""
        for key in keys:
            # The server works through a channel in order: its answer to the last is one to all.
            self._channel.queue_bind(self._queue, EXCHANGE, key, nowait=key != keys[-1])

    def unbind(self, keys: Sequence[str]) -> None:
        """Give these keys up."""
        for key in keys:
            self._channel.queue_unbind(self._queue, EXCHANGE, key)

    def publish(self, batch: Sequence[Publication]) -> int:
        """Send the batch; the server has answered for it once ``confirmed`` reaches the number given."""
        number, frame_max = self._channel.channel_id, self._connection.frame_max
        parts, size = [], 0
        for channels, payload in batch:
            for key in dict.fromkeys(map(routing_key, channels)):
                parts.append(publish_frames(number, EXCHANGE, key, payload, frame_max))
                self.published += 1
                size += len(parts[-1])
            if size > CHUNK:
                self._connection.write(b"".join(parts))
                self._connection.read_ready()
                parts, size = [], 0
        if parts:
            self._connection.write(b"".join(parts))
        return self.published

    def read(self) -> list[Delivery]:
        """Handle what the server has sent; give the deliveries in it."""
        self._connection.read_ready()
        deliveries = self._connection.deliveries
        return deliveries.take() if deliveries else []

    def tick(self) -> None:
        """Send a heartbeat if one is due; raises when the server's stay away."""
        self._connection.heartbeat_tick()

    def close(self) -> None:
        """Say goodbye, so that the server drops the queue at once."""
        try:
            self._connection.close()
        except Exception:  # of a broken connection anything may come, and nothing matters
            self._connection.collect()

    def abort(self) -> None:
        """Cut the connection (from any thread): whoever waits on it stops waiting."""
        with contextlib.suppress(OSError):
            if self.sock is not None:
                self.sock.shutdown(socket.SHUT_RDWR)

    def _consume(self) -> None:
        self._queue = f"{EXCHANGE}-{uuid4().hex}"
        self._channel.queue_declare(self._queue, durable=False, exclusive=True, auto_delete=True)
        self._connection.deliveries = Deliveries(TAG, EXCHANGE)
        self._connection.delivery_channel = self._channel.channel_id
        # Without acknowledgements: the bus promises at most once, and envelopes carry numbers.
        self._channel.basic_consume(self._queue, consumer_tag=TAG, no_ack=True)

    def _confirm(self) -> None:
        self._channel.events["basic_ack"].add(self._on_ack)
        self._channel.events["basic_nack"].add(self._on_nack)
        self._channel.confirm_select()

    def _on_ack(self, number: int, multiple: bool) -> None:
        """Messages are confirmed one by one, in any order, or all up to a number."""
        if multiple:
            self.confirmed = max(self.confirmed, number)
            self._early = {early for early in self._early if early > self.confirmed}
        else:
            self._early.add(number)
        while self.confirmed + 1 in self._early:
            self.confirmed += 1
            self._early.remove(self.confirmed)

    def _on_nack(self, number: int, multiple: bool) -> None:
        """A full queue with the policy ``reject-publish`` does this; other queues may have the message."""
        first = self.confirmed + 1 if multiple else number
        self.refused.update(one for one in range(first, number + 1) if one not in self._early)
        self._on_ack(number, multiple)
