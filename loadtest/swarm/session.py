"""One Socket.IO client over WebSocket. It takes and gives bytes, and knows nothing of sockets."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import time
from typing import Any, Protocol
from urllib.parse import SplitResult

from socketio_cluster.loadtest.errors import Disconnected, LoadTestError, NotSocketIO, Refused
from socketio_cluster.loadtest.receiver import Receiver
from socketio_cluster.loadtest.recovery import Recovery
from socketio_cluster.loadtest.swarm import frames
from socketio_cluster.loadtest.swarm.handshake import NoWebSocket, check, new_key, request
from socketio_cluster.loadtest.swarm.meter import Meter
from socketio_cluster.loadtest.swarm.said import Reader, Said

PONG = frames.encode(b"3")
LONGEST_MESSAGE = 16 * 2**20

Answered = Callable[[list[Any] | Exception], None]


@dataclass(frozen=True)
class Door:
    """Where and as whom to connect: the same for many clients."""

    url: SplitResult
    path: str = "socket.io"
    namespace: str = "/"
    auth: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = "EIO=4&transport=websocket"


class Owner(Protocol):
    """Whom a session tells what happens; none of these may block."""

    def opened(self, sid: str) -> None:
        """The server has answered the connect."""

    def event(self, name: str, args: list[Any]) -> None:
        """An event came that is not ``said``."""

    def closed(self, reason: LoadTestError | None) -> None:
        """Take the reason why the session is over, once. None means that this side has left."""


class Session:
    """A client from its handshake to its end.

    Args:
        door: where to connect.
        reader: finds deliveries; one for all clients of a namespace.
        receiver: takes the deliveries of this client.
        meter: counts those of all.
        owner: is told what happens.
        write: takes bytes for the server.
        recovery: that of the client, which may have had connections before.
    """

    __slots__ = (
        "_ack_id", "_acks", "_door", "_key", "_known", "_mark", "_message", "_meter", "_owner", "_reader",
        "_receive", "_receiver", "_recovery", "_rest", "_whole", "_write", "heard", "node", "over", "sid",
    )  # fmt: skip

    def __init__(
        self,
        door: Door,
        reader: Reader,
        receiver: Receiver,
        meter: Meter,
        owner: Owner,
        write: Callable[[bytes], None],
        recovery: Recovery | None = None,
    ) -> None:
        self.sid: str | None = None
        self.node: str | None = None
        self.heard = time()
        self.over = False
        self._door = door
        self._mark = b"" if door.namespace == "/" else door.namespace.encode() + b","
        self._reader = reader
        self._known = reader.known
        self._receiver = receiver
        self._meter = meter
        self._owner = owner
        self._write = write
        self._recovery = recovery or Recovery()
        self._key = new_key()
        self._acks: dict[int, Answered] = {}
        self._ack_id = 0
        self._rest = b""
        self._message = b""
        self._whole = False
        """Whether the next chunk begins with a new message: then it may be one that is known."""
        self._receive: Callable[[bytes], None] = self._answer

    def start(self) -> None:
        """Send the handshake."""
        self._write(request(self._door.url, self._door.path, self._door.query, self._door.headers, self._key))

    def feed(self, chunk: bytes) -> None:
        """Take what the server sent."""
        self.heard = time()
        if self._whole:
            said = self._known.get(chunk) or self._reader.learn(chunk)
            if said:
                self._take(said)
                return
        try:
            self._receive(chunk)
        except NoWebSocket as error:
            self.end(NotSocketIO(f"{self._door.url.geturl()} accepts no WebSocket: {error}"))
        except (frames.FrameError, ValueError, LookupError, TypeError, AttributeError) as error:
            self.end(NotSocketIO(f"{self._door.url.geturl()} sent what is not Socket.IO: {error!r}"))

    def emit(self, event: str, *args: Any, answered: Answered | None = None) -> None:
        """Send an event; ``answered`` gets the arguments of its ack, or Disconnected."""
        if self.over:
            raise Disconnected("not connected")
        number = b""
        if answered is not None:
            self._ack_id += 1
            self._acks[self._ack_id] = answered
            number = str(self._ack_id).encode()
        data = json.dumps([event, *args], separators=(",", ":")).encode()
        self._write(frames.encode(b"42" + self._mark + number + data))

    def leave(self) -> None:
        """Say goodbye to the server and end."""
        if self.sid is not None and not self.over:
            self._write(frames.encode(b"41" + self._mark) + frames.encode(b"\x03\xe8", frames.CLOSE))
        self.end(None)

    def end(self, reason: LoadTestError | None) -> None:
        """Note that it is over; the first reason counts."""
        if self.over:
            return
        self.over = True
        self._whole = False
        self._receive = _ignore
        acks, self._acks = self._acks, {}
        for answered in acks.values():
            answered(Disconnected(str(reason or "left")))
        self._owner.closed(reason)

    def _take(self, said: tuple[Said, ...]) -> None:
        if (offset := said[-1].offset) is not None:
            self._recovery.offset = offset
        tracks = self._receiver.tracks
        for src, seq, _, _, _ in said:
            track = tracks.get(src)
            # The next of its stream, as nearly always: no call.
            if track is not None and (last := track.runs[-1])[1] + 1 == seq:
                last[1] = seq
            else:
                self._receiver.arrive(src, seq)
        meter = self._meter
        meter.deliveries += len(said)
        meter.left -= 1
        if meter.left <= 0:
            meter.take(self.node, said, self.heard)

    def _answer(self, chunk: bytes) -> None:
        self._rest += chunk
        rest = check(self._rest, self._key)
        if rest is not None:
            self._rest = b""
            self._receive = self._frames
            self._frames(rest)

    def _frames(self, chunk: bytes) -> None:
        found, self._rest = frames.split(self._rest + chunk)
        for last, opcode, payload in found:
            if opcode not in (frames.TEXT, frames.BINARY, frames.CONTINUATION):
                self._control(opcode, payload)
                continue
            self._message += payload
            if last:
                message, self._message = self._message, b""
                self._packet(message)
        if len(self._rest) + len(self._message) > LONGEST_MESSAGE:
            raise ValueError("a message longer than 16 MiB")
        self._whole = self.sid is not None and not (self.over or self._rest or self._message)

    def _control(self, opcode: int, payload: bytes) -> None:
        if opcode == frames.PING:
            self._write(frames.encode(payload, frames.PONG))
        elif opcode == frames.CLOSE:
            self._write(frames.encode(payload[:2], frames.CLOSE))
            self.end(
                Disconnected(f"the server closed with {int.from_bytes(payload[:2], 'big') or 'no code'}")
            )

    def _packet(self, payload: bytes) -> None:
        kind = payload[:1]
        if kind == b"4":
            said = self._reader.read(payload)
            if said is not None:
                self._take((said,))
            else:
                self._socket_io(payload[1:2], payload[2:])
        elif kind == b"2":
            self._write(PONG)
        elif kind == b"0":
            auth = self._recovery.auth(self._door.auth)
            words = b"" if auth is None else json.dumps(auth).encode()
            self._write(frames.encode(b"40" + self._mark + words))
        elif kind == b"1":
            self.end(Disconnected("the server closed the session"))

    def _socket_io(self, kind: bytes, data: bytes) -> None:
        if data.startswith(b"/"):
            data = data.partition(b",")[2]
        text = data.lstrip(b"0123456789")
        number = data[: len(data) - len(text)]
        value: Any = json.loads(text) if text else None
        if kind == b"0":
            self.sid = value["sid"]
            self._recovery.connected(value)
            self._owner.opened(value["sid"])
        elif kind == b"1":
            self.end(Disconnected(f"the server disconnected the client from {self._door.namespace}"))
        elif kind == b"2":
            self._event(value, acked=bool(number))
        elif kind == b"3" and (answered := self._acks.pop(int(number), None)):
            answered(value)
        elif kind == b"4":
            words = value.get("message", value) if isinstance(value, dict) else value
            self.end(Refused(f"{self._door.url.geturl()} refused the connection: {words}", value))

    def _event(self, value: list[Any], *, acked: bool) -> None:
        name, *args = value
        if not acked:
            args = self._recovery.strip(args)
        if name == "welcome":
            self.node = args[0]["node"]
        self._owner.event(name, args)


def _ignore(chunk: bytes) -> None:
    """After the end nothing is read."""
