"""The node: worker processes under one supervisor, its command line, and a demo.

Servers and clients with middlewares are here too, imported when they are asked for: the supervisor does
without them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from socketio_cluster.cluster.client import AsyncClient, Client
    from socketio_cluster.cluster.middleware.refusal import Refused, Skip
    from socketio_cluster.cluster.server import AsyncServer

__all__ = ["AsyncClient", "AsyncServer", "Client", "Refused", "Skip"]

_HOMES: Final = {
    "AsyncClient": "client",
    "AsyncServer": "server",
    "Client": "client",
    "Refused": "refusal",
    "Skip": "refusal",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'cluster' has no attribute {name!r}")
    return getattr(import_module(f"cluster.{_HOMES[name]}"), name)
