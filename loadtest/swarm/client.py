"""A client of the swarm, for greenlets, with the methods of ``loadtest/client.py``. All share one loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import gevent
from gevent.event import AsyncResult, Event

from socketio_cluster.loadtest.ack import wait_for_ack
from socketio_cluster.loadtest.address import Address
from socketio_cluster.loadtest.errors import (
    Disconnected,
    LoadTestError,
    NotSocketIO,
    Unreachable,
)
from socketio_cluster.loadtest.receiver import Receiver
from socketio_cluster.loadtest.recovery import Recovery
from socketio_cluster.loadtest.swarm.engine import Engine
from socketio_cluster.loadtest.swarm.session import Door


class SwarmClient:
    """One connection of the swarm; ``said`` events go to the receiver, all others to ``on_event``.

    ``on_gone(reason)`` is called once when the connection ended unasked. Neither may block.
    """

    def __init__(
        self,
        engine: Engine,
        address: Address,
        receiver: Receiver,
        on_event: Callable[[str, list[Any], str], Any],
        on_gone: Callable[[str], None],
        recovery: Recovery | None = None,
    ) -> None:
        """Connect; raises Unreachable, NotSocketIO, Refused or Disconnected."""
        (namespace,) = address.namespaces
        self.address = address
        self.sids: dict[str, str] = {}
        self.gone = Event()
        self._namespace = namespace
        self._engine = engine
        self._on_event = on_event
        self._on_gone = on_gone
        self._connected = AsyncResult()
        url = urlsplit(address.url)
        door = Door(url, address.path.strip("/"), namespace, address.auth, address.headers, address.query)
        self._session, self._link = engine.connect(door, receiver, self, recovery)
        try:
            self._connected.get(timeout=address.timeout)
        except gevent.Timeout:
            self.close()
            raise NotSocketIO(f"{address.url} does not answer CONNECT to {namespace}") from None

    @property
    def heard(self) -> float:
        """When the server was last heard of: seconds since the epoch."""
        return self._session.heard

    @property
    def connected(self) -> bool:
        """Whether the connection still stands."""
        return not self.gone.is_set()

    # Sending

    def emit(self, event: str, *args: Any, namespace: str = "/", callback: Any = None) -> None:
        """Send an event; ``callback(answer)`` gets the list of the ack's arguments, or an exception."""
        self._session.emit(event, *args, answered=callback)

    def call(self, event: str, *args: Any, namespace: str = "/", timeout: float = 10) -> list[Any]:
        """Send an event and give the ack's arguments; raises CallTimeout or Disconnected."""
        answer = AsyncResult()
        self._session.emit(event, *args, answered=answer.set)
        return wait_for_ack(answer, event, timeout)

    # Receiving

    def pause(self) -> None:
        """Stop to read, as a client does that cannot keep up."""
        self._link.pause()

    # Ending

    def disconnect(self) -> None:
        """Say goodbye and close; calling it again does nothing."""
        self._on_gone = _nobody
        self._session.leave()

    def cut(self) -> None:
        """Break the connection without a word; ``on_gone`` is called as if it had broken by itself."""
        self._session.end(Disconnected("cut"))

    def close(self) -> None:
        """End without a goodbye, and without calling ``on_gone``."""
        self._on_gone = _nobody
        self._session.end(Disconnected("closed"))

    # What the session tells

    def opened(self, sid: str) -> None:
        """The server has answered the connect."""
        self.sids[self._namespace] = sid
        self._connected.set(None)

    def event(self, name: str, args: list[Any]) -> None:
        """An event came that is not ``said``."""
        self._on_event(name, args, self._namespace)

    def closed(self, reason: LoadTestError | None) -> None:
        """The connection is over."""
        self._engine.drop(self._link)
        self.gone.set()
        if self._connected.ready():
            self._on_gone(str(reason or "left"))
            return
        if isinstance(reason, Unreachable):
            reason = Unreachable(f"{self.address.url} cannot be reached: {reason}")
        self._connected.set_exception(reason or Disconnected("left"))


def _nobody(reason: str) -> None:
    """Tell nobody."""
