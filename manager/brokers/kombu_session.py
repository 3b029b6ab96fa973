"""One connection of any other kombu transport (Redis lists, memory, file system, ...), used by one thread.

kombu imitates AMQP on these: there are no confirms, most cannot take a binding back, and a receiver has to
ask again and again. A node that is killed leaves its queue behind, for ``EXPIRES`` on transports that know
expiry.
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
"""Seconds to wait for a message before looking at commands: how long a subscribe may take."""
BRPOP = 0.2
READ_LIMIT = 1000
"""Messages per turn, so that commands get theirs."""
EXPIRES = 60_000
"""Milliseconds without a reader after which a queue goes away."""


class KombuSession:
    """The same as ``AmqpSession``, with what kombu's virtual channels offer."""

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
        # Both are 1 s by default: the pause of transports that poll, and the wait of Redis's BRPOP, which
        # close() has to sit out.
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
        """Have the messages of these keys sent here."""
        for key in keys:
            self._channel.queue_bind(self._queue, EXCHANGE, key)
        self._bound.update(keys)
        self._ever_bound.update(keys)

    def unbind(self, keys: Sequence[str]) -> None:
        """Ignore these keys from here on."""
        self._bound.difference_update(keys)

    def publish(self, batch: Sequence[Publication]) -> int:
        """Send the batch; what is sent counts as confirmed."""
        for channels, payload in batch:
            for key in dict.fromkeys(map(routing_key, channels)):
                message = self._channel.prepare_message(payload, content_type="application/octet-stream")
                self._channel.basic_publish(message, EXCHANGE, key)
                self.confirmed += 1
        return self.confirmed

    def read(self) -> list[Delivery]:
        """Give what has arrived; waits up to ``POLL`` for the first message."""
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
        """Nothing to do: these transports have no heartbeat."""

    def close(self) -> None:
        """Delete the queue and close the connection."""
        try:
            if self._consuming:
                self._channel.queue_delete(self._queue)
                # In memory the exchange keeps its bindings, and each would bring the queue back.
                for key in self._ever_bound:
                    self._channel.queue_unbind(self._queue, EXCHANGE, key)
            self._transport.close_connection(self._connection)
        except Exception:  # of a broken connection anything may come, and nothing matters
            self._connection = None

    def abort(self) -> None:
        """Nothing to do: kombu shows no socket that could be cut."""

    def _on_message(self, message: Any) -> None:
        key = message.delivery_info["routing_key"]
        if key in self._bound:
            self._arrived.append(Delivery(key, message.body or b""))
