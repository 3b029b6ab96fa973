"""The opening handshake of RFC 6455, for requests that an HTTP parser has already found well-formed.

The websockets library does it with objects, which took two fifths of the cost of a connection
(docs/performance.md). Here is the common case alone; in any other case ``read`` returns None, and the library
does the handshake.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Iterable
from typing import Final

import msgspec
from websockets.http11 import MAX_LINE_LENGTH, MAX_NUM_HEADERS

GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""The text that is hashed with the key (RFC 6455, section 1.3)."""
_ONCE: Final = (b"connection", b"upgrade", b"sec-websocket-key", b"sec-websocket-version")

_WELL_FORMED: Final = re.compile(
    rb"GET (/[!-\"$-~]*) HTTP/1\.1\r\n"
    rb"((?:(?!(?i:content-length|transfer-encoding|expect):)"
    rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~\x80-\xff]*\r\n)+)\r\n"
)
"""The head of a request without a body (RFC 9112). What does not match is left to an HTTP parser, which takes
more."""

_LINE: Final = re.compile(rb"([^:]+):[\t ]*([^\r]*)\r\n")
"""A header of a head that is well-formed."""

_KEY: Final = re.compile(rb"[A-Za-z0-9+/]{22}==")
"""The base64 text of 16 bytes."""

Header = tuple[bytes, bytes]

_SWITCHING: Final = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
)


class HandshakeRequest(msgspec.Struct, frozen=True):
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


def read_whole(data: bytes) -> HandshakeRequest | None:
    """Read bytes that are a whole request for a WebSocket, and that no HTTP parser needs to read before.

    Returns None for all others, as ``read`` does for what is not the common case.
    """
    found = _WELL_FORMED.fullmatch(data) if b"pgrade: websocket" in data else None
    if found is None:
        return None
    if len(data) >= MAX_LINE_LENGTH:
        return read(data)
    target, lines = found.groups()
    headers = [(name.lower(), value.rstrip(b" \t")) for name, value in _LINE.findall(lines)]
    return _request(target, headers) if len(headers) <= MAX_NUM_HEADERS else None


def read(data: bytes) -> HandshakeRequest | None:
    """Read a request that is a head and nothing behind it; return None when it is not the common case."""
    head, end, rest = data.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    if (
        not end
        or rest
        or not first.isascii()
        or len(lines) > MAX_NUM_HEADERS
        # Of a longer line the library decides, and refuses.
        or (len(data) >= MAX_LINE_LENGTH and max(map(len, lines), default=0) >= MAX_LINE_LENGTH)
    ):
        return None
    method, _, target = first.partition(b" ")
    target, _, version = target.rpartition(b" ")
    if method != b"GET" or version != b"HTTP/1.1" or not target.startswith(b"/"):
        return None
    headers = []
    for line in lines:
        name, _, value = line.partition(b":")
        headers.append((name.lower(), value.strip(b" \t")))
    return _request(target, headers)


def _request(target: bytes, headers: list[Header]) -> HandshakeRequest | None:
    key = _key(headers)
    path, _, query = target.partition(b"?")
    return HandshakeRequest(path, query, headers, key) if key else None


def _key(headers: list[Header]) -> bytes | None:
    """Return the client's key; None unless each header of a handshake is there once, with its usual value."""
    said = dict(headers)
    if len(said) < len(headers):
        names = [name for name, _ in headers]
        if any(names.count(name) > 1 for name in _ONCE):
            return None
    if said.get(b"sec-websocket-version") != b"13" or said.get(b"upgrade", b"").lower() != b"websocket":
        return None
    asked = said.get(b"connection", b"").lower()
    if asked != b"upgrade" and b"upgrade" not in [token.strip() for token in asked.split(b",")]:
        return None
    key = said.get(b"sec-websocket-key", b"")
    return key if _KEY.fullmatch(key) else None


def answer(key: bytes, headers: Iterable[Header], subprotocol: str | None = None) -> bytes:
    """Return the bytes of the answer that opens the connection, with lower-case names of the headers."""
    accept = binascii.b2a_base64(hashlib.sha1(key + GUID, usedforsecurity=False).digest(), newline=False)
    said = b"".join([b"\r\n%b: %b" % (name.lower(), value) for name, value in headers])
    if subprotocol:
        said += b"\r\nSec-WebSocket-Protocol: " + subprotocol.encode()
    return b"%b%b%b\r\n\r\n" % (_SWITCHING, accept, said)
