"""The client's address in the environ that connect handlers get.

python-engineio writes 127.0.0.1 there. This layer writes the address that uvicorn has found: that of the peer
or, behind a trusted proxy, the one that the proxy names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from socketio_cluster.manager.client_manager import ClusterManager

SCHEMES: Final = {"ws": "http", "wss": "https"}


class Addresses:
    """The layer that puts REMOTE_ADDR, REMOTE_PORT and wsgi.url_scheme into each environ."""

    name = "addresses"

    def install(self, manager: ClusterManager) -> None:
        """Stand before python-engineio's translation of an ASGI scope."""
        manager.host.driver("translate_request").put(self.name, _with_address)


def _with_address(translate: Callable[..., Any]) -> Callable[..., Any]:
    async def translated(scope: Any, receive: Any, send: Any) -> Any:
        environ = await translate(scope, receive, send)
        if environ:
            environ["wsgi.url_scheme"] = SCHEMES.get(scope["scheme"], scope["scheme"])
            if client := scope.get("client"):
                environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = client[0], str(client[1])
        return environ

    return translated
