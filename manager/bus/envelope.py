"""The envelope: a message with its sender, number and time, as bytes on the bus.

    version u8 | flags u8 | origin 8 bytes | number u64 | sent f64 | [MAC 16 bytes] | message

Numbers are big-endian. Flag 1 means that a MAC follows. Number 0 means that the message is a notice, which is
no part of the sender's stream. The header stands outside the message, so that a node drops its own echo
without decoding anything. The MAC is keyed BLAKE2b (RFC 7693, section 2.9) over header and message. Its key
is made of the secret and the cluster's prefix, so an envelope of another cluster does not verify, even with
the same secret.

A secret may have several lines while it is being changed. The first line signs, and any line verifies. So a
secret is changed in three rounds of restarts, without a moment at which two nodes refuse each other: first
old and new, then new and old, then new alone.
"""

from __future__ import annotations

import hmac
from hashlib import blake2b
from struct import Struct
from typing import Any, Final

import msgspec

from socketio_cluster.manager.bus.messages import KINDS, Message, Unknown
from socketio_cluster.manager.bus.stamp import MARK
from socketio_cluster.manager.bus.versions import NEWEST, OLDEST
from socketio_cluster.manager.errors import EnvelopeError
from socketio_cluster.manager.ids import NODE_CHARS

SIGNED: Final = 1
MAC_BYTES: Final = 16
_HEADER: Final = Struct(f">BB{NODE_CHARS}sQd")
HEADER_BYTES: Final = _HEADER.size
ORIGIN_END: Final = 2 + NODE_CHARS
ORIGIN: Final = slice(2, ORIGIN_END)
_NUMBER: Final = slice(ORIGIN_END, ORIGIN_END + 8)
_NOTICE: Final = bytes(8)
_ARRAY: Final = 0x90
"""The first byte of an array with n elements, up to 15, is this number plus n in MessagePack."""
_LENGTHS: Final = {kind: _ARRAY + 1 + len(kind.__struct_fields__) for kind in KINDS.values()}
"""The first byte of a message of each kind. Its first element is the number of the kind."""


class Header(msgspec.Struct, frozen=True, gc=False):
    """The sender's node id, the number in the sender's stream, and the time of sending in epoch seconds."""

    origin: str
    number: int
    sent: float


def read_header(raw: bytes) -> Header:
    """Read the header of an envelope, unverified. Raises ``EnvelopeError`` for other bytes and versions."""
    try:
        version, _, origin, number, sent = _HEADER.unpack_from(raw)
        if OLDEST <= version <= NEWEST:
            return Header(origin.decode("ascii"), number, sent)
    except Exception as exc:
        raise EnvelopeError("malformed", f"no header in {len(raw)} bytes") from exc
    if version == MARK:
        raise EnvelopeError("version", "other nodes have recovery_seconds set, and this one has not")
    raise EnvelopeError("version", f"this node reads versions {OLDEST} to {NEWEST}, not {version}")


def is_unknown_kind(body: bytes) -> bool:
    """Whether a message is of a kind that this release does not have. Its number comes first."""
    try:
        parts = msgspec.msgpack.decode(body, type=list[msgspec.Raw])
        return msgspec.msgpack.decode(parts[0], type=int) not in KINDS
    except (msgspec.MsgspecError, IndexError):
        return False


def read_number(raw: bytes) -> int:
    """Return the number of an envelope. There must be a header in it."""
    return int.from_bytes(raw[_NUMBER], "big")


def is_notice(raw: bytes) -> bool:
    """Whether the number of an envelope is 0. There must be a header in it."""
    return raw[_NUMBER] == _NOTICE


class Codec:
    """Packs messages into envelopes and reads them, for one cluster.

    Args:
        prefix: the cluster's prefix.
        secret: one secret on each line. With None envelopes are not signed, and signed ones are refused.
    """

    __slots__ = ("_decode", "_encode", "_macs", "longer", "version")

    def __init__(self, prefix: str, secret: str | None = None) -> None:
        self.version = OLDEST
        """The version to write. ``Versions`` says which one all nodes read."""
        self.longer = 0
        """How many messages had fields that this release does not know. They were ignored."""
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(Message).decode
        self._macs = [_keyed(prefix, each) for each in secrets_in(secret)]

    def pack(self, header: Header, message: Message) -> bytes:
        """Return the bytes of an envelope. Raises what msgspec raises for a message that it cannot pack."""
        macs, body = self._macs, self._encode(message)
        flags = SIGNED if macs else 0
        head = _HEADER.pack(self.version, flags, header.origin.encode(), header.number, header.sent)
        return head + _sign(macs[0], head, body) + body if macs else head + body

    header = staticmethod(read_header)

    @property
    def signs(self) -> bool:
        """Whether envelopes are signed."""
        return bool(self._macs)

    def heads(self, origin: str) -> tuple[bytes, ...]:
        """Return the bytes with which the envelopes of a sender begin, up to the number: for each version."""
        flags = SIGNED if self._macs else 0
        return tuple(bytes((version, flags)) + origin.encode() for version in range(OLDEST, NEWEST + 1))

    def message(self, raw: bytes) -> Message:
        """Check the MAC and decode the message, as far as this release knows it. Raises ``EnvelopeError``."""
        if len(raw) < HEADER_BYTES:
            raise EnvelopeError("malformed", f"no header in {len(raw)} bytes")
        body = self._verified(raw) if self._macs or raw[1] & SIGNED else raw[HEADER_BYTES:]
        try:
            message: Message = self._decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
            if is_unknown_kind(body):
                return Unknown()
            raise EnvelopeError("malformed", str(exc)) from exc
        if body[0] > _LENGTHS[type(message)]:
            self.longer += 1
        return message

    def native_parts(self, kind: type[Message]) -> dict[str, Any]:
        """Return what ``native/_hear.c`` needs to read messages of one kind, by the names there.

        ``beginning`` are the first bytes of such a message, with the fields that this release knows.
        ``decode`` takes a whole envelope if they are signed, and otherwise the message in it.
        """
        number = next(number for number, each in KINDS.items() if each is kind)
        return {
            "kind": kind,
            "kind_name": kind.__name__,
            "beginning": bytes((_LENGTHS[kind], number)),
            "decode": self.message if self._macs else self._decode,
            "is_signed": SIGNED if self._macs else 0,
            "oldest": OLDEST,
            "newest": NEWEST,
        }

    def _verified(self, raw: bytes) -> bytes:
        """Return the bytes of the message of a signed envelope. Raises ``EnvelopeError``."""
        if not (self._macs and raw[1] & SIGNED):
            text = "this cluster has a secret" if self._macs else "this node has no secret"
            raise EnvelopeError("unsigned", f"{text}: set the same CLUSTER_SECRET on every node")
        start = HEADER_BYTES + MAC_BYTES
        head, said, body = raw[:HEADER_BYTES], raw[HEADER_BYTES:start], raw[start:]
        if not any(hmac.compare_digest(_sign(mac, head, body), said) for mac in self._macs):
            raise EnvelopeError("signature", "altered, or of a cluster with another secret or prefix")
        return body


def _keyed(prefix: str, secret: str) -> blake2b:
    key = blake2b(prefix.encode(), key=blake2b(secret.encode()).digest()).digest()
    return blake2b(key=key, digest_size=MAC_BYTES)


def _sign(keyed: blake2b, head: bytes, body: bytes) -> bytes:
    mac = keyed.copy()
    mac.update(head)
    mac.update(body)
    return mac.digest()


SHORTEST: Final = 16
"""The least characters of a secret."""


def secrets_in(text: str | None) -> list[str]:
    """Return the secrets in a setting, one for each line that is not blank. None has no secrets."""
    lines = [line.strip() for line in (text or "").splitlines()]
    return [line for line in lines if line]


STEP: Final = 1e-6
"""The least seconds between two readings. A float with today's time has a resolution of 0.24 µs."""


class SenderClock:
    """The clock for the times in a sender's headers. It never goes back.

    It follows the machine's clock when that is set forward, and goes on steadily when that is set back.
    Receivers take a notice that was sent earlier than the last one for a repeat. So if this clock went back,
    a sender would not be heard until the clock had caught up.
    """

    __slots__ = ("_last", "_offset")

    def __init__(self) -> None:
        self._offset = float("-inf")
        self._last = 0.0

    def read(self, wall: float, steady: float) -> float:
        """Return the time.

        ``wall`` is the machine's clock in epoch seconds, ``steady`` its monotonic clock.
        """
        offset = wall - steady
        if offset > self._offset:
            self._offset = offset
        time = steady + self._offset
        least = self._last + STEP
        self._last = max(least, time)
        return self._last
