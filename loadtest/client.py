"""A light Socket.IO client for gevent. One greenlet reads. It never reconnects and hides no failure."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from itertools import count
from typing import Any

import gevent
from gevent.event import AsyncResult, Event
from socketio.packet import (
    ACK,
    BINARY_ACK,
    BINARY_EVENT,
    CONNECT,
    CONNECT_ERROR,
    DISCONNECT,
    EVENT,
    Packet,
)

from socketio_cluster.loadtest.ack import wait_for_ack
from socketio_cluster.loadtest.address import Address
from socketio_cluster.loadtest.errors import Disconnected, NotSocketIO, Refused
from socketio_cluster.loadtest.polling import Polling
from socketio_cluster.loadtest.recovery import Recovery
from socketio_cluster.loadtest.websocket import WebSocket

TRANSPORTS: dict[str, type[WebSocket | Polling]] = {"websocket": WebSocket, "polling": Polling}


class Client:
    """One connection with its namespaces.

    `on_event(event, args, namespace)` is called in the reading greenlet, and its answer is the ack when the
    server wants one; it must not block. `on_gone(reason)` is called once when the connection ended unasked.
    A client of one namespace that is given the `recovery` of the one before claims its session.
    """

    def __init__(
        self,
        address: Address,
        on_event: Callable[[str, list[Any], str], Any],
        on_gone: Callable[[str], None],
        recovery: Recovery | None = None,
    ) -> None:
        """Connect all namespaces; raises Unreachable, NotSocketIO, Refused or Disconnected."""
        self.address = address
        self._recovery = recovery or Recovery()
        self.sids: dict[str, str] = {}
        self.heard = time.time()
        self.gone = Event()
        self._on_event = on_event
        self._on_gone = on_gone
        self._ids = count(1)
        self._acks: dict[int, Callable[[list[Any] | Exception], None]] = {}
        self._partial: Packet | None = None
        self._reading = Event()
        self._reading.set()
        self._transport = TRANSPORTS[address.transport](address)
        self._silence = address.timeout
        self._connected = AsyncResult()
        self._reader = gevent.spawn(self._read)
        try:
            self._join(address.timeout)
        except BaseException:
            self.close()
            raise

    def _join(self, timeout: float) -> None:
        for namespace in self.address.namespaces:
            auth = self._recovery.auth(self.address.auth)
            self._send(Packet(CONNECT, data=auth, namespace=namespace))
        try:
            self._connected.get(timeout=timeout)
        except gevent.Timeout:
            missing = [name for name in self.address.namespaces if name not in self.sids]
            raise NotSocketIO(f"{self.address.url} does not answer CONNECT to {', '.join(missing)}") from None

    # Sending

    def emit(self, event: str, *args: Any, namespace: str = "/", callback: Any = None) -> None:
        """Send an event; `callback(answer)` gets the list of the ack's arguments, or an exception."""
        number = None
        if callback is not None:
            number = next(self._ids)
            self._acks[number] = callback
        self._send(Packet(EVENT, data=[event, *args], namespace=namespace, id=number))

    def call(self, event: str, *args: Any, namespace: str = "/", timeout: float = 10) -> list[Any]:
        """Send an event and give the ack's arguments; raises CallTimeout or Disconnected."""
        answer = AsyncResult()
        self.emit(event, *args, namespace=namespace, callback=answer.set)
        return wait_for_ack(answer, event, timeout)

    def _send(self, packet: Packet) -> None:
        if self.gone.is_set():
            raise Disconnected("not connected")
        encoded = packet.encode()
        first, *rest = encoded if isinstance(encoded, list) else [encoded]
        self._transport.send("4" + first)
        for attachment in rest:
            self._transport.send(bytes(attachment))

    # Receiving

    def pause(self) -> None:
        """Stop to read, as a client does that cannot keep up."""
        self._reading.clear()

    def _read(self) -> None:
        try:
            while True:
                self._reading.wait()
                message = self._transport.receive(self._silence)
                self.heard = time.time()
                self._take(message)
        except Disconnected as error:
            self._end(str(error))
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            self._end(f"the server sent what is not Socket.IO: {error!r}")

    def _take(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            if self._partial is None:
                raise ValueError("a binary attachment without its event")
            if self._partial.add_attachment(message):
                packet, self._partial = self._partial, None
                self._handle(packet)
        elif message.startswith("4"):
            packet = Packet(encoded_packet=message[1:])
            if packet.attachment_count:
                self._partial = packet
            else:
                self._handle(packet)
        elif message.startswith("2"):
            self._transport.send("3" + message[1:])
        elif message.startswith("0"):
            opened = json.loads(message[1:])
            self._silence = (opened["pingInterval"] + opened["pingTimeout"]) / 1000
        elif message.startswith("1"):
            raise Disconnected("the server closed the session")

    def _handle(self, packet: Packet) -> None:
        namespace = packet.namespace or "/"
        if packet.packet_type in (EVENT, BINARY_EVENT):
            event, *args = packet.data
            if packet.id is None:
                args = self._recovery.strip(args)
            answer = self._on_event(event, args, namespace)
            if packet.id is not None:
                data = [] if answer is None else [answer]
                self._send(Packet(ACK, data=data, namespace=namespace, id=packet.id))
        elif packet.packet_type in (ACK, BINARY_ACK):
            callback = self._acks.pop(packet.id, None)
            if callback is not None:
                callback(packet.data)
        elif packet.packet_type == CONNECT:
            self.sids[namespace] = packet.data["sid"]
            self._recovery.connected(packet.data)
            if len(self.sids) == len(self.address.namespaces):
                self._connected.set(None)
        elif packet.packet_type == CONNECT_ERROR:
            self._connected.set_exception(_refusal(self.address.url, namespace, packet.data))
        elif packet.packet_type == DISCONNECT:
            raise Disconnected(f"the server disconnected the client from {namespace}")

    # Ending

    @property
    def connected(self) -> bool:
        """Whether the connection still stands."""
        return not self.gone.is_set()

    def disconnect(self) -> None:
        """Say goodbye in every namespace and close; calling it again does nothing."""
        try:
            for namespace in self.sids:
                self._send(Packet(DISCONNECT, namespace=namespace))
        except Disconnected:
            pass
        self.close()

    def cut(self) -> None:
        """Break the connection without a word; `on_gone` is called as if it had broken by itself."""
        self._stop_reading()
        self._end("cut")

    def close(self) -> None:
        """End without a goodbye, and without calling `on_gone`."""
        self._on_gone = _nobody
        self._stop_reading()
        self._end("closed")

    def _stop_reading(self) -> None:
        if gevent.getcurrent() is not self._reader:
            self._reader.kill()

    def _end(self, reason: str) -> None:
        if self.gone.is_set():
            return
        self.gone.set()
        self._transport.close()
        failure = Disconnected(reason)
        if not self._connected.ready():
            self._connected.set_exception(failure)
            return
        callbacks, self._acks = self._acks, {}
        for callback in callbacks.values():
            callback(failure)
        self._on_gone(reason)


def _nobody(reason: str) -> None:
    """Tell nobody."""


def _refusal(url: str, namespace: str, data: Any) -> Refused:
    words = data.get("message", data) if isinstance(data, dict) else data
    return Refused(f"{url} refused the connection to {namespace}: {words}", data)
