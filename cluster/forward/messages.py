"""The messages by which one node passes a request to another: an ASGI call, cut into frames.

The asking node sends ``Ask`` and, while there is more of the request's body, ``Piece``. The answering node
sends ``ReplyHead`` and ``Piece``, or ``Refusal``. It sends ``Waiting`` when the answer takes its time, as
that of a poll does. So a node that lives and a node that hangs can be told apart.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qs

import msgspec

Scope = dict[str, Any]
Headers = list[tuple[bytes, bytes]]

PIECE: Final = 256 * 1024
"""Bytes of a body in one frame. While they are sent, nothing else is sent on the line."""


class Ask(msgspec.Struct, array_like=True, tag=1):
    """A request, with the first piece of its body."""

    websocket: bool
    method: str
    scheme: str
    path: str
    raw_path: bytes
    root_path: str
    query: bytes
    headers: Headers
    client: tuple[str, int | None] | None
    server: tuple[str, int | None] | None
    body: bytes = b""
    more: bool = False

    @property
    def sid(self) -> str | None:
        """The id of the session that the request is for; None when it names none."""
        return sid_in(self.query)

    def scope(self) -> Scope:
        """Return the ASGI scope of the HTTP request, as the asking node's server made it."""
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": self.method,
            "scheme": self.scheme,
            "path": self.path,
            "raw_path": self.raw_path,
            "root_path": self.root_path,
            "query_string": self.query,
            "headers": self.headers,
            "client": self.client,
            "server": self.server,
            "state": {},
        }

    def head(self) -> bytes:
        """Return the head of the WebSocket handshake as bytes.

        An HTTP parser has read it on the asking node, so no value contains a line end.
        """
        lines = [b"GET %b?%b HTTP/1.1" % (self.raw_path, self.query)]
        lines += [name + b": " + value for name, value in self.headers]
        return b"\r\n".join(lines) + b"\r\n\r\n"


class Piece(msgspec.Struct, array_like=True, tag=2):
    """The next part of a body; ``more`` says whether another one follows."""

    body: bytes
    more: bool


class ReplyHead(msgspec.Struct, array_like=True, tag=3):
    """The beginning of the response, with the first piece of its body."""

    status: int
    headers: Headers
    body: bytes
    more: bool


class Waiting(msgspec.Struct, array_like=True, tag=4):
    """The request is being handled."""


class Refusal(msgspec.Struct, array_like=True, tag=5):
    """The request is not for this node."""

    reason: str


Message = Ask | Piece | ReplyHead | Waiting | Refusal
encode = msgspec.msgpack.Encoder().encode
_decoder: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)


def decode(frame: bytes) -> Message:
    """Read a message; raise ``ConnectionError`` for other bytes. The line must be closed then."""
    try:
        return _decoder.decode(frame)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConnectionError(f"not a message: {error}") from error


def ask_of(scope: Scope, body: bytes = b"", more: bool = False) -> Ask:
    """Return the message for an ASGI scope and the first piece of its body."""
    return Ask(
        websocket=scope["type"] == "websocket",
        method=scope.get("method", "GET"),
        scheme=scope.get("scheme", "http"),
        path=scope["path"],
        raw_path=scope.get("raw_path") or scope["path"].encode(),
        root_path=scope.get("root_path", ""),
        query=scope.get("query_string", b""),
        headers=list(scope["headers"]),
        client=_address(scope.get("client")),
        server=_address(scope.get("server")),
        body=body,
        more=more,
    )


def _address(pair: Any) -> tuple[str, int | None] | None:
    """Return a host and a port, which some servers write as text."""
    if pair is None:
        return None
    host, port = pair
    return str(host), int(port) if port is not None else None


def sid_in(query: bytes) -> str | None:
    """Return the session id in a query string, as python-engineio reads it; None when there is none."""
    if b"sid=" not in query:
        return None
    values = parse_qs(query.decode("utf-8", "replace")).get("sid")
    return values[0] if values else None
