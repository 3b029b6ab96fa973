"""What the protocol's rules look at in a request."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import parse_qs


class EngineRequest(NamedTuple):
    """An Engine.IO request; ``upgrade`` says that it asks for a WebSocket."""

    method: str
    upgrade: bool
    transport: str | None
    sid: str | None
    version: str | None

    @classmethod
    def of(cls, scope: dict[str, Any]) -> EngineRequest:
        """Read an ASGI scope; of several values the first counts, as for python-engineio."""
        query = first_values(scope.get("query_string", b"").decode("utf-8", "replace"))
        return cls(
            method=scope.get("method", "GET"),
            upgrade=scope["type"] == "websocket",
            transport=query.get("transport"),
            sid=query.get("sid"),
            version=query.get("EIO"),
        )


def first_values(query: str) -> dict[str, str]:
    """Give the first value of each name, as ``parse_qs`` reads them: without a value it is not there."""
    if "%" in query or "+" in query:
        return {name: values[0] for name, values in parse_qs(query).items()}
    found: dict[str, str] = {}
    for field in query.split("&"):
        name, _, value = field.partition("=")
        if value:
            found.setdefault(name, value)
    return found


def header(scope: dict[str, Any], name: bytes) -> str:
    """Give a header of an ASGI scope (its name in lower case), or an empty string."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def choosing(scope: dict[str, Any], send: Any) -> Any:
    """Give a ``send`` that accepts with the first subprotocol of those that the client offers.

    As engine.io does. A browser that has offered some closes the connection when none is chosen.
    """
    offered = next(filter(None, scope.get("subprotocols", ())), None)
    if offered is None:
        return send

    async def choose(message: dict[str, Any]) -> None:
        if message["type"] == "websocket.accept" and not message.get("subprotocol"):
            message = {**message, "subprotocol": offered}
        await send(message)

    return choose
