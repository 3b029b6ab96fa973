"""A session with RabbitMQ: one AMQP connection, which only one thread uses."""

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
"""All clusters use this exchange. Their prefixes are in the routing keys."""

TAG = "node"
CHUNK = 128 * 1024
"""Bytes of one write.

Confirms are read between writes, because a server that cannot send them stops reading.
"""


class AmqpSession:
    """Publishes with confirms, or with ``consume`` reads the node's queue instead.

    The queue is exclusive: RabbitMQ deletes it when the connection ends. RabbitMQ 4.3 refuses all other
    queues that are not durable. While a node stands still, its queue grows in RabbitMQ, until missed
    heartbeats end the connection and the queue.
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
        """Bind these keys, so that their messages are sent here. Returns when the server has confirmed it."""
        for key in keys:
            # The server handles the commands of a channel in order, so its last answer confirms all.
            self._channel.queue_bind(self._queue, EXCHANGE, key, nowait=key != keys[-1])

    def unbind(self, keys: Sequence[str]) -> None:
        """Unbind these keys."""
        for key in keys:
            self._channel.queue_unbind(self._queue, EXCHANGE, key)

    def publish(self, batch: Sequence[Publication]) -> int:
        """Send the batch. The server has answered for it when ``confirmed`` reaches the returned number."""
        number, frame_max = self._channel.channel_id, self._connection.frame_max
        parts, size = [], 0
        for publication in batch:
            for key in dict.fromkeys(map(routing_key, publication.channels)):
                parts.append(publish_frames(number, EXCHANGE, key, publication.payload, frame_max))
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
        """Handle all frames that the server has sent, and return the deliveries among them."""
        self._connection.read_ready()
        deliveries = self._connection.deliveries
        return deliveries.take() if deliveries else []

    def tick(self) -> None:
        """Send a heartbeat if one is due. Raises if the server's heartbeats are missing."""
        self._connection.heartbeat_tick()

    def close(self) -> None:
        """Close the connection with AMQP's handshake, so that the server drops the queue at once."""
        try:
            self._connection.close()
        except Exception:  # A broken connection may raise any error, and none of them matters.
            self._connection.collect()

    def abort(self) -> None:
        """Cut the connection, so that the thread which waits for it goes on. Any thread may call this."""
        with contextlib.suppress(OSError):
            if self.sock is not None:
                self.sock.shutdown(socket.SHUT_RDWR)

    def _consume(self) -> None:
        self._queue = f"{EXCHANGE}-{uuid4().hex}"
        self._channel.queue_declare(self._queue, durable=False, exclusive=True, auto_delete=True)
        self._connection.deliveries = Deliveries(TAG, EXCHANGE)
        self._connection.delivery_channel = self._channel.channel_id
        # There are no acknowledgements: the bus promises to deliver at most once, and envelopes have numbers.
        self._channel.basic_consume(self._queue, consumer_tag=TAG, no_ack=True)

    def _confirm(self) -> None:
        self._channel.events["basic_ack"].add(self._on_ack)
        self._channel.events["basic_nack"].add(self._on_nack)
        self._channel.confirm_select()

    def _on_ack(self, number: int, multiple: bool) -> None:
        """Note a confirmation. The server confirms single messages, in any order, or all up to a number."""
        if multiple:
            self.confirmed = max(self.confirmed, number)
            self._early = {early for early in self._early if early > self.confirmed}
        else:
            self._early.add(number)
        while self.confirmed + 1 in self._early:
            self.confirmed += 1
            self._early.remove(self.confirmed)

    def _on_nack(self, number: int, multiple: bool) -> None:
        """Note a refusal.

        A full queue with the policy ``reject-publish`` refuses; others may have the message.
        """
        first = self.confirmed + 1 if multiple else number
        self.refused.update(one for one in range(first, number + 1) if one not in self._early)
        self._on_ack(number, multiple)
