"""The subprotocol of a WebSocket whose application has not chosen one."""

from __future__ import annotations

from typing import Any


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
