"""The opening handshake of RFC 6455, for requests that an HTTP parser has already found well-formed.

The websockets library does it with objects, which took two fifths of the cost of a connection
(docs/performance.md). Here is the common case alone; in any other case ``read`` returns None, and the library
does the handshake.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from websockets.http11 import MAX_LINE_LENGTH, MAX_NUM_HEADERS

GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""The text that is hashed with the key (RFC 6455, section 1.3)."""
_ONCE: Final = (b"connection", b"upgrade", b"sec-websocket-key", b"sec-websocket-version")

_WELL_FORMED: Final = re.compile(
    rb"GET /[!-\"$-~]* HTTP/1\.1\r\n"
    rb"(?:(?!(?i:content-length|transfer-encoding|expect):)"
    rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~\x80-\xff]*\r\n)+\r\n"
)
"""The head of a request without a body (RFC 9112). What does not match is left to an HTTP parser, which takes
more."""

Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class HandshakeRequest:
    """A request for a WebSocket that may be accepted: raw path, raw query, headers with lower-case names."""

    path: bytes
    query: bytes
    headers: list[Header]
    key: bytes

    @property
    def subprotocols(self) -> list[str]:
        """The subprotocols that the client offers, in its order."""
        offers = [
            value.decode("latin-1").split(",")
            for name, value in self.headers
            if name == b"sec-websocket-protocol"
        ]
        return [token.strip() for offer in offers for token in offer]


def is_well_formed(data: bytes) -> bool:
    """Whether these bytes are a whole request for a WebSocket that no HTTP parser needs to read before."""
    return b"pgrade: websocket" in data and _WELL_FORMED.fullmatch(data) is not None


def read(data: bytes) -> HandshakeRequest | None:
    """Read a request that is a head and nothing behind it; return None when it is not the common case."""
    head, end, rest = data.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    if (
        not end
        or rest
        or not first.isascii()
        or len(lines) > MAX_NUM_HEADERS
        or max(map(len, lines), default=0) >= MAX_LINE_LENGTH  # the library decides, and refuses
    ):
        return None
    method, _, target = first.partition(b" ")
    target, _, version = target.rpartition(b" ")
    if method != b"GET" or version != b"HTTP/1.1" or not target.startswith(b"/"):
        return None
    headers = [
        (name.lower(), value.strip(b" \t")) for name, _, value in (line.partition(b":") for line in lines)
    ]
    key = _key(headers)
    path, _, query = target.partition(b"?")
    return HandshakeRequest(path, query, headers, key) if key else None


def _key(headers: list[Header]) -> bytes | None:
    """Return the client's key; None unless each header of a handshake is there once, with its usual value."""
    said: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in _ONCE:
            if name in said:
                return None
            said[name] = value
    if len(said) < len(_ONCE) or said[b"sec-websocket-version"] != b"13":
        return None
    asked = [token.strip() for token in said[b"connection"].lower().split(b",")]
    if b"upgrade" not in asked or said[b"upgrade"].lower() != b"websocket":
        return None
    key = said[b"sec-websocket-key"]
    try:
        return key if len(base64.b64decode(key, validate=True)) == 16 else None
    except binascii.Error:
        return None


def answer(key: bytes, headers: Iterable[Header]) -> bytes:
    """Return the bytes of the answer that opens the connection."""
    accept = base64.b64encode(hashlib.sha1(key + GUID, usedforsecurity=False).digest())
    lines = [
        b"HTTP/1.1 101 Switching Protocols",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Accept: " + accept,
        *(name + b": " + value for name, value in headers),
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n"
