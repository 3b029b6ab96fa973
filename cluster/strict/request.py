"""The parts of a request that the protocol's rules check, and the choice of a subprotocol."""

from __future__ import annotations

from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs

INDEX_DIGITS: Final = 20
"""A client counts its functions; longer numbers are none of its."""


class EngineRequest(NamedTuple):
    """An Engine.IO request.

    ``upgrade`` says whether it asks for a WebSocket. ``time`` is what a client puts into each query so that
    no cache answers.
    """

    method: str
    upgrade: bool
    transport: str | None
    sid: str | None
    version: str | None
    time: str = ""

    @classmethod
    def of(cls, scope: dict[str, Any]) -> EngineRequest:
        """Read an ASGI scope. Of several values the first one counts, as in python-engineio."""
        query = first_values(scope.get("query_string", b"").decode("utf-8", "replace"))
        return cls(
            method=scope.get("method", "GET"),
            upgrade=scope["type"] == "websocket",
            transport=query.get("transport"),
            sid=query.get("sid"),
            version=query.get("EIO"),
            time=query.get("t", ""),
        )


def first_values(query: str) -> dict[str, str]:
    """Return the first value of each name, as ``parse_qs`` does: a name without a value is left out."""
    if "%" in query or "+" in query:
        return {name: values[0] for name, values in parse_qs(query).items()}
    found: dict[str, str] = {}
    for field in query.split("&"):
        name, _, value = field.partition("=")
        if value:
            found.setdefault(name, value)
    return found


def jsonp_index(scope: dict[str, Any]) -> int | None:
    """Give the number of the function that a JSONP client waits with; None for any other."""
    index = first_values(scope.get("query_string", b"").decode("utf-8", "replace")).get("j", "")
    return int(index) if index.isdecimal() and len(index) <= INDEX_DIGITS else None


def header(scope: dict[str, Any], name: bytes) -> str:
    """Return a header of an ASGI scope, or an empty string; ``name`` is in lower case."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def choose_subprotocol(scope: dict[str, Any], send: Any) -> Any:
    """Return a ``send`` that accepts a WebSocket with the first subprotocol that the client offers.

    engine.io does the same. A browser that offers some closes the connection when none is chosen. An
    application that chooses one by itself is not overruled.
    """
    offered = next(filter(None, scope.get("subprotocols", ())), None)
    if offered is None:
        return send

    async def choose(message: dict[str, Any]) -> None:
        if message["type"] == "websocket.accept" and not message.get("subprotocol"):
            message = {**message, "subprotocol": offered}
        await send(message)

    return choose
