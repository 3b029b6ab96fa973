"""The messages between the hub and its clients. Each frame is a length and then one msgpack message."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from typing import Any, ClassVar, Generic, TypeVar

import msgspec

from socketio_cluster.manager.bus.broker import Delivery, Publication
from socketio_cluster.manager.bus.store import Operation, Result

FRAME_LIMIT = 256 * 1024 * 1024
"""The most bytes of one frame. A longer one is a mistake or an attack."""

HEAD = 4
"""The number of bytes that hold the length of a frame."""


class Subscribe(msgspec.Struct, tag="s", array_like=True, frozen=True):
    """A request to subscribe to channels."""

    number: int
    channels: list[str]


class Unsubscribe(msgspec.Struct, tag="u", array_like=True, frozen=True):
    """A request to unsubscribe from channels."""

    number: int
    channels: list[str]


class Publish(msgspec.Struct, tag="p", array_like=True, frozen=True):
    """A request to publish a batch, in order."""

    number: int
    batch: list[Publication]


class AskStore(msgspec.Struct, tag="k", array_like=True, frozen=True):
    """A request to carry out an operation on what the hub keeps for a cluster."""

    number: int
    cluster: str
    operation: Operation


class Told(msgspec.Struct, tag="t", array_like=True, frozen=True):
    """The answer to an operation, packed as ``ANSWERS`` says for it."""

    number: int
    result: bytes


class Done(msgspec.Struct, tag="d", array_like=True, frozen=True):
    """The hub has carried out the request with this number."""

    number: int


class Arrived(msgspec.Struct, tag="a", array_like=True, frozen=True):
    """Deliveries for the channels that this client is subscribed to."""

    deliveries: list[Delivery]


HubRequest = Subscribe | Unsubscribe | Publish | AskStore
HubAnswer = Done | Arrived | Told
Message = TypeVar("Message")

_encoder = msgspec.msgpack.Encoder()


def encode(message: HubRequest | HubAnswer) -> bytes:
    """Return the frame of a message."""
    body = _encoder.encode(message)
    return len(body).to_bytes(HEAD, "big") + body


def told(number: int, result: Result) -> bytes:
    """Return the frame of the answer to an operation."""
    return encode(Told(number, _encoder.encode(result)))


class Frames(asyncio.Protocol, Generic[Message]):
    """Splits a byte stream into frames.

    Calls ``received`` for each message, and ``refused`` for bad bytes.
    """

    decoder: ClassVar[msgspec.msgpack.Decoder[Any]]

    def __init__(self) -> None:
        self._buffer = bytearray()

    @abstractmethod
    def received(self, message: Message) -> None:
        """Handle one message. It cannot await, so messages stay in order."""

    @abstractmethod
    def refused(self, reason: str) -> None:
        """Close this connection, because the peer has sent bytes that are no frame."""

    def data_received(self, data: bytes) -> None:
        """Handle bytes from the socket, which may end in the middle of a frame."""
        self._buffer += data
        try:
            used = self._read_frames()
        except ValueError as error:  # msgspec's errors and UnicodeDecodeError are ValueErrors too.
            self._buffer.clear()
            self.refused(str(error))
        else:
            del self._buffer[:used]

    def _read_frames(self) -> int:
        """Handle every complete frame, and return the number of their bytes."""
        start, size = 0, len(self._buffer)
        with memoryview(self._buffer) as view:
            while size - start >= HEAD:
                end = start + HEAD + int.from_bytes(view[start : start + HEAD], "big")
                if end - start > FRAME_LIMIT:
                    raise ValueError(f"a frame of {end - start} bytes")
                if end > size:
                    break
                with view[start + HEAD : end] as body:
                    message = self.decoder.decode(body)
                self.received(message)
                start = end
        return start
