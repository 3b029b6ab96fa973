"""What the protocol's rules look at in a request."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import parse_qs


class Request(NamedTuple):
    """An Engine.IO request; ``upgrade`` says that it asks for a WebSocket."""

    method: str
    upgrade: bool
    transport: str | None
    sid: str | None
    version: str | None
    jsonp: bool

    @classmethod
    def of(cls, scope: dict[str, Any]) -> Request:
        """Read an ASGI scope; of several values the first counts, as for python-engineio."""
        query = parse_qs(scope.get("query_string", b"").decode("utf-8", "replace"))

        def first(name: str) -> str | None:
            return query[name][0] if name in query else None

        return cls(
            method=scope.get("method", "GET"),
            upgrade=scope["type"] == "websocket",
            transport=first("transport"),
            sid=first("sid"),
            version=first("EIO"),
            jsonp="j" in query,
        )


def header(scope: dict[str, Any], name: bytes) -> str:
    """Give a header of an ASGI scope (its name in lower case), or an empty string."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")
