"""The language between the hub and its clients: a length, then one msgpack message."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from typing import Any, ClassVar, Generic, TypeVar

import msgspec

from socketio_cluster.manager.bus.broker import Delivery, Publication

FRAME_LIMIT = 256 * 1024 * 1024
"""Bytes of one frame; a longer one is a mistake or an attack."""

HEAD = 4
"""Bytes of the length in front of each frame."""


class Subscribe(msgspec.Struct, tag="s", array_like=True, frozen=True):
    """Take these channels."""

    number: int
    channels: list[str]


class Unsubscribe(msgspec.Struct, tag="u", array_like=True, frozen=True):
    """Give these channels up."""

    number: int
    channels: list[str]


class Publish(msgspec.Struct, tag="p", array_like=True, frozen=True):
    """Hand these on, in order."""

    number: int
    batch: list[Publication]


class Done(msgspec.Struct, tag="d", array_like=True, frozen=True):
    """The hub has done what the request of this number asked for."""

    number: int


class Arrived(msgspec.Struct, tag="a", array_like=True, frozen=True):
    """Messages for the channels that this client has taken."""

    deliveries: list[Delivery]


HubRequest = Subscribe | Unsubscribe | Publish
HubAnswer = Done | Arrived
Message = TypeVar("Message")

_encoder = msgspec.msgpack.Encoder()


def encode(message: HubRequest | HubAnswer) -> bytes:
    """Give the frame of a message."""
    body = _encoder.encode(message)
    return len(body).to_bytes(HEAD, "big") + body


class Frames(asyncio.Protocol, Generic[Message]):
    """Cuts a byte stream into frames; ``received`` gets each message, ``refused`` the first bad one."""

    decoder: ClassVar[msgspec.msgpack.Decoder[Any]]

    def __init__(self) -> None:
        self._buffer = bytearray()

    @abstractmethod
    def received(self, message: Message) -> None:
        """Act on one message; no await, so messages stay in order."""

    @abstractmethod
    def refused(self, reason: str) -> None:
        """The peer does not speak the language: close this connection."""

    def data_received(self, data: bytes) -> None:
        """Take bytes from the socket, however they are cut."""
        self._buffer += data
        try:
            used = self._read_frames()
        except ValueError as error:  # msgspec's errors are ValueErrors, UnicodeDecodeError too
            self._buffer.clear()
            self.refused(str(error))
        else:
            del self._buffer[:used]

    def _read_frames(self) -> int:
        """Decode every whole frame; give the number of bytes they took."""
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
