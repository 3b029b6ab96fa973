"""A session with any other kombu transport (Redis lists, memory, file system, ...), used by one thread only.

kombu imitates AMQP on these transports. There are no confirms, most transports cannot unbind, and a receiver
has to poll. A node that is killed leaves its queue behind, for the time ``EXPIRES`` on transports that
support it.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from kombu.connection import Connection as Client

from socketio_cluster.manager.brokers.amqp_session import EXCHANGE, TAG
from socketio_cluster.manager.bus.broker import Delivery, Publication
from socketio_cluster.manager.bus.channels import routing_key

POLL = 0.02
"""Seconds to wait for a message before the next command. A subscribe may take so long."""
BRPOP = 0.2
"""Seconds that Redis's BRPOP waits. ``close`` has to wait for its end."""
READ_LIMIT = 1000
"""The most messages of one turn, so that commands get their turn too."""
EXPIRES = 60_000
"""Milliseconds after which a queue without a reader is deleted."""


class KombuSession:
    """A ``Session`` as ``AmqpSession``, but only with the functions of kombu's virtual channels."""

    def __init__(self, client: Client, *, consume: bool) -> None:
        self.sock: socket.socket | None = None
        self.published = self.confirmed = 0
        self.refused: set[int] = set()
        self.nap = 0.0 if consume else 1.0
        self._consuming = consume
        self._bound: set[str] = set()
        self._ever_bound: set[str] = set()
        self._arrived: list[Delivery] = []
        self._transport = client.transport
        # Both are 1 s by default.
        for name, seconds in (("polling_interval", POLL), ("brpop_timeout", BRPOP)):
            if getattr(self._transport, name, None):
                setattr(self._transport, name, seconds)
        self._connection = self._transport.establish_connection()
        self._channel = self._transport.create_channel(self._connection)
        self._channel.exchange_declare(EXCHANGE, "direct", durable=True, auto_delete=False)
        if consume:
            self._queue = f"{EXCHANGE}-{uuid4().hex}"
            self._channel.queue_declare(self._queue, auto_delete=True, arguments={"x-expires": EXPIRES})
            self._channel.basic_consume(self._queue, True, self._on_message, TAG)

    def bind(self, keys: Sequence[str]) -> None:
        """Bind these keys, so that their messages are sent here."""
        for key in keys:
            self._channel.queue_bind(self._queue, EXCHANGE, key)
        self._bound.update(keys)
        self._ever_bound.update(keys)

    def unbind(self, keys: Sequence[str]) -> None:
        """Ignore the messages of these keys from now on."""
        self._bound.difference_update(keys)

    def publish(self, batch: Sequence[Publication]) -> int:
        """Send the batch. A message counts as confirmed when it is sent."""
        for publication in batch:
            for key in dict.fromkeys(map(routing_key, publication.channels)):
                message = self._channel.prepare_message(
                    publication.payload, content_type="application/octet-stream"
                )
                self._channel.basic_publish(message, EXCHANGE, key)
                self.confirmed += 1
        return self.confirmed

    def read(self) -> list[Delivery]:
        """Return the deliveries that have arrived. Waits up to ``POLL`` for the first one."""
        if not self._consuming:
            return []
        try:
            self._transport.drain_events(self._connection, timeout=POLL)
            while len(self._arrived) < READ_LIMIT:
                self._transport.drain_events(self._connection, timeout=0)
        except TimeoutError:
            pass
        arrived, self._arrived = self._arrived, []
        return arrived

    def tick(self) -> None:
        """Do nothing: these transports have no heartbeat."""

    def close(self) -> None:
        """Delete the queue and close the connection."""
        try:
            if self._consuming:
                self._channel.queue_delete(self._queue)
                # The memory transport keeps the bindings of the exchange, and each would restore the queue.
                for key in self._ever_bound:
                    self._channel.queue_unbind(self._queue, EXCHANGE, key)
            self._transport.close_connection(self._connection)
        except Exception:  # A broken connection may raise any error, and none of them matters.
            self._connection = None

    def abort(self) -> None:
        """Do nothing: kombu gives no access to a socket that could be cut."""

    def _on_message(self, message: Any) -> None:
        key = message.delivery_info["routing_key"]
        if key in self._bound:
            self._arrived.append(Delivery(key, message.body or b""))
