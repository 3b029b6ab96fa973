"""``SocketIOUser``: a Locust user with a Socket.IO connection, which times and counts all messages."""

from __future__ import annotations

import random
import time
from contextlib import suppress
from typing import Any

import gevent
from gevent.event import Event
from locust import User

from socketio_cluster.loadtest.address import Address, address_of, hosts_of
from socketio_cluster.loadtest.client import Client
from socketio_cluster.loadtest.errors import Disconnected, LoadTestError, NotSocketIO, Refused, Unreachable
from socketio_cluster.loadtest.recorder import Recorder
from socketio_cluster.loadtest.recovery import Recovery
from socketio_cluster.loadtest.stream import Stream


class SocketIOUser(User):
    """Speaks the load-test protocol (docs/loadtest-protocol.md) over one connection.

    A subclass does its work with `connect`, `join`, `leave`, `say`, `tell`, `call` and `disconnect`; each
    raises a LoadTestError when it failed, which has then been counted.
    """

    abstract = True

    tolerant = False
    """Whether broken connections and refused connects are part of the scenario, and not errors."""

    recovers = False
    """Whether the server is asked for recovery: this user misses nothing while it is away, or is told."""

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.options = environment.parsed_options
        self.recorder: Recorder = environment.loadtest.recorder
        self.number, self.name = self.recorder.new_user()
        self.receiver = self.recorder.ledger.receiver(self.name)
        self.recovery = Recovery()
        self.client: Client | None = None
        self.node = ""
        self.sid = ""
        self.rooms: list[str] = []
        self._welcome = Event()
        self._standing = False
        self._lost: tuple[float, float] | None = None
        """When the server was last heard of and when that was noticed, while it may give the session back."""
        self._streams: dict[tuple[str, bool], tuple[str, Stream]] = {}
        self._connects = 0

    # Connecting

    @property
    def transport(self) -> str:
        """The transport of this user. With `both`, every second user polls."""
        chosen: str = self.options.transport
        return ("websocket", "polling")[self.number % 2] if chosen == "both" else chosen

    def address(self) -> Address:
        """Return where this user connects. Users take several hosts by turns."""
        hosts = hosts_of(self.environment.host)
        host = hosts[self.number % len(hosts)]
        return address_of(host, self.transport, self.options, recovers=self.recovers)

    @property
    def connected(self) -> bool:
        """Whether there is a connection that has been welcomed."""
        return self._standing

    def connect(self) -> None:
        """Connect once, wait for the welcome and join the rooms of before; raises a LoadTestError."""
        began, asked = time.perf_counter(), self.recorder.now()
        self._welcome.clear()
        try:
            self.client = self.open_client()
            if not self.recovery.recovered:
                self._give_up()
            took = time.perf_counter() - began
            if not self._welcome.wait(self.options.timeout):
                raise NotSocketIO(f"{self.address().url} sent no 'welcome': see docs/loadtest-protocol.md")
            if not self.client.connected:
                raise Disconnected("the connection ended before the welcome")
        except LoadTestError as error:
            self._connect_failed(error)
            raise
        self._note_connected(took, asked)
        if self.recorder.clock.wants(self.node):
            self._ask_clock()
        for room in self.rooms:
            if not self.receiver.is_in(self._target(room)):
                self._enter(room)

    def open_client(self) -> Client:
        """Make a client. A subclass may make one of another kind. Raises a LoadTestError."""
        return Client(self.address(), self._event, self._gone, self.recovery)

    def _connect_failed(self, error: LoadTestError) -> None:
        if self.client is not None:
            self.client.close()
        if isinstance(error, (Refused, Unreachable, NotSocketIO)):
            self.recorder.timeline.count("refused", self.recorder.now())
        self._failed("connect", self.transport, error)

    def _note_connected(self, took: float, asked: float) -> None:
        now = self.recorder.now()
        self._standing = True
        self._connects += 1
        self.recorder.timeline.count("connects" if self._connects == 1 else "reconnects", now)
        self.recorder.timeline.time("connecting", took, now)
        self.recorder.connections[self.node] += 1
        self._fire("connect" if self._connects == 1 else "reconnect", self.transport, took)
        if self.recovery.recovered:
            self.recorder.timeline.count("recovered", now)
        self._lost = None
        for target in (self._target(None), self._sid_target(self.sid)):
            if not self.receiver.is_in(target):
                self.receiver.ask(target, asked)
                self.receiver.join(target, now)

    def reconnect(self, *, first: float = 1.0, longest: float = 5.0) -> None:
        """Try until connected, after random pauses as clients make: from `first` up to `longest` seconds."""
        pause = first
        while not self.connected and self.comes_back:
            gevent.sleep(random.uniform(0, pause))
            with suppress(LoadTestError):
                self.connect()
            pause = min(pause * 2, longest)

    @property
    def comes_back(self) -> bool:
        """Whether this user reconnects. At the end it does so only for messages that are still due to it."""
        return not self.recorder.quiet or self._lost is not None

    def disconnect(self) -> None:
        """Say goodbye and close. This user expects nothing of what is sent from now on."""
        if self._standing and self.client is not None:
            now = self.recorder.now()
            self.receiver.close(now, now, lost=False)
            self._over()
            self.client.disconnect()

    def _gone(self, reason: str) -> None:
        if not self._standing or self.client is None:
            self._welcome.set()  # `connect` waits for it, and looks whether there still is a connection
            return
        late = time.time() - self.client.heard
        now = self.recorder.now()
        self.recorder.timeline.count("disconnects", now)
        self._lost = now - late, now
        if self.recovery.pid is None:
            self._give_up()
        self._over()
        self._failed("disconnect", "by the server", Disconnected(reason))

    def _give_up(self) -> None:
        """Expect nothing any more from the time at which the connection was lost."""
        if self._lost is not None:
            self.receiver.close(*self._lost, lost=True)
            self._lost = None

    def _over(self) -> None:
        self.recorder.connections[self.node] -= 1
        self._standing = False

    def on_stop(self) -> None:
        """Locust stops this user."""
        self.disconnect()

    # Talking

    def call(self, event: str, *args: Any) -> Any:
        """Emit, time the round trip, and return the first argument of the ack, or None."""
        began = time.perf_counter()
        try:
            if self.client is None:
                raise Disconnected("not connected")
            answer = self.client.call(
                event, *args, namespace=self.options.namespace, timeout=self.options.timeout
            )
        except LoadTestError as error:
            self._failed("call", event, error)
            raise
        took = time.perf_counter() - began
        self.recorder.timeline.time("calls", took, self.recorder.now())
        self._fire("call", event, took)
        return answer[0] if answer else None

    def join(self, room: str) -> None:
        """Join a room. After the answer, this user expects all messages to the room."""
        self.rooms.append(room)
        self._enter(room)

    def _enter(self, room: str) -> None:
        self.receiver.ask(self._target(room), self.recorder.now())
        self.call("join", room)
        self.receiver.join(self._target(room), self.recorder.now())

    def leave(self, room: str) -> None:
        """Leave a room."""
        self.receiver.leave(self._target(room), self.recorder.now())
        self.rooms.remove(room)
        self.call("leave", room)
        self.receiver.left(self._target(room), self.recorder.now())

    def say(self, room: str | None, *, skip: bool = False, **data: Any) -> None:
        """Say something in a room, or to everyone in the namespace; `skip`: the sender must not get it."""
        src, stream = self._stream(self._target(room), skip)
        self._send(src, stream, "say", {"room": room, "skip": skip}, data)

    def tell(self, to: str, **data: Any) -> None:
        """Say something to the client with this sid."""
        src, stream = self._stream(self._sid_target(to), False)
        self._send(src, stream, "tell", {"to": to}, data)

    def _send(
        self, src: str, stream: Stream, event: str, order: dict[str, Any], data: dict[str, Any]
    ) -> None:
        now = self.recorder.now()
        seq = stream.send(now)
        stamp = {"t": now, "seq": seq, "src": src, "node": self.node, "pad": "x" * self.options.size}
        try:
            self.call(event, {**order, "data": {**stamp, **data}})
            stream.confirm(seq, self.recorder.now())
        finally:
            stream.open = False

    def _stream(self, target: str, skip: bool) -> tuple[str, Stream]:
        pair = self._streams.get((target, skip))
        if pair is None:
            src = self.recorder.new_source()
            pair = src, self.recorder.ledger.stream(src, target, self.name, skip=skip)
            self._streams[target, skip] = pair
        return pair

    def _target(self, room: str | None) -> str:
        return f"{self.options.namespace} all" if room is None else f"{self.options.namespace} room {room}"

    def _sid_target(self, sid: str) -> str:
        return f"{self.options.namespace} sid {sid}"

    def _ask_clock(self) -> None:
        for _ in range(3):
            sent = time.time()
            server = self.call("clock")
            self.recorder.clock.add(self.node, sent, server, time.time())

    # Hearing

    def _event(self, event: str, args: list[Any], namespace: str) -> Any:
        if event == "said":
            self._said(args[0])
        elif event == "welcome":
            self.sid, self.node = args[0]["sid"], args[0]["node"]
            self._welcome.set()
        return self.on_event(event, args)

    def on_event(self, event: str, args: list[Any]) -> Any:
        """Return the ack for an event, if the server wants one. For subclasses, which must not block."""

    def _said(self, data: dict[str, Any]) -> None:
        now = self.recorder.now()
        self.receiver.arrive(data["src"], data["seq"])
        same = data.get("node") == self.node
        took = max(now - data["t"], 1e-5)
        timeline = self.recorder.timeline
        timeline.count("deliveries", now)
        timeline.time("same_node" if same else "cross_node", took, now)
        self._fire("deliver", "same node" if same else "other node", took)

    # Telling Locust

    def _fire(self, kind: str, name: str, seconds: float | None, error: Exception | None = None) -> None:
        self.environment.events.request.fire(
            request_type=kind,
            name=name,
            response_time=None if seconds is None else seconds * 1000,
            response_length=0,
            exception=error,
            context={},
        )

    def _failed(self, kind: str, name: str, error: LoadTestError) -> None:
        """Count a failure. It is no error in a tolerant scenario, which causes failures itself."""
        now = self.recorder.now()
        if self.tolerant:
            self.recorder.timeline.count("tolerated", now)
        else:
            self.recorder.timeline.error(f"{kind} {name}: {error}", now)
            self._fire(kind, name, None, error)
