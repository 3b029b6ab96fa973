"""The HTTP request that becomes a WebSocket, and the check of its answer."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping
from urllib.parse import SplitResult

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
LONGEST = 65536
"""A longer answer is not one."""


class NoWebSocket(Exception):
    """The server did not accept the connection; the text says what it answered."""


def new_key() -> bytes:
    """Give the key of one handshake."""
    return base64.b64encode(os.urandom(16))


def request(url: SplitResult, path: str, query: str, headers: Mapping[str, str], key: bytes) -> bytes:
    """Give the bytes of the request; ``path`` is that of Socket.IO at the URL: ``socket.io``."""
    lines = [
        f"GET {url.path.rstrip('/')}/{path}/?{query} HTTP/1.1",
        f"Host: {url.netloc.rpartition('@')[2]}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key.decode()}",
        "Sec-WebSocket-Version: 13",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def check(answer: bytes, key: bytes) -> bytes | None:
    """Give what follows the whole answer, None while it is not whole.

    Raises:
        NoWebSocket: it is not the answer to this key.
    """
    head, end, rest = answer.partition(b"\r\n\r\n")
    if not end:
        if len(answer) > LONGEST:
            raise NoWebSocket("the answer to the handshake is not HTTP")
        return None
    status, *lines = head.split(b"\r\n")
    words = status.split(b" ", 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/1."):
        raise NoWebSocket("the answer to the handshake is not HTTP")
    if words[1] != b"101":
        raise NoWebSocket(f"HTTP {b' '.join(words[1:]).decode('latin-1').strip()}")
    fields = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)
    }
    wanted = base64.b64encode(hashlib.sha1(key + GUID, usedforsecurity=False).digest())
    if fields.get(b"sec-websocket-accept") != wanted:
        raise NoWebSocket("the answer to the handshake has a wrong Sec-WebSocket-Accept")
    return rest
