"""The client's address in the environ that connect handlers get.

python-engineio writes 127.0.0.1 there. Here it is the address that uvicorn has found: the peer's or, when
that is a trusted proxy, the one the proxy names.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from socketio_cluster.manager.client_manager import ClusterManager

SCHEMES = {"ws": "http", "wss": "https"}


def tell_addresses(managers: Iterable[ClusterManager]) -> None:
    """Let the servers of these managers see REMOTE_ADDR, REMOTE_PORT and wsgi.url_scheme; once for each."""
    for manager in managers:
        eio = getattr(manager.server, "eio", None)
        if eio is None or eio.async_mode != "asgi":
            continue
        translate = eio._async["translate_request"]
        if not isinstance(getattr(translate, "__self__", None), Translate):
            eio._async = {**eio._async, "translate_request": Translate(translate).environ}


class Translate:
    """Stands in for python-engineio's translation of an ASGI scope."""

    def __init__(self, translate: Any) -> None:
        self._translate = translate

    async def environ(self, scope: Any, receive: Any, send: Any) -> Any:
        """Make the environ of a request."""
        environ = await self._translate(scope, receive, send)
        if environ:
            environ["wsgi.url_scheme"] = SCHEMES.get(scope["scheme"], scope["scheme"])
            if client := scope.get("client"):
                environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = client[0], str(client[1])
        return environ
