"""Lets a framework mount a Socket.IO application below a path: ``api.mount("/ws", socketio.ASGIApp(sio))``.

A framework that mounts an application leaves ``path`` whole, and names the part in front in ``root_path``; so
the ASGI specification (HTTP & WebSocket, version 2.3) wants it. ``engineio.ASGIApp`` compares its own path
with the beginning of ``path``, so it would answer 404 to every client.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import engineio

from socketio_cluster.manager.host.slot import replace


def allow_mounts() -> None:
    """Let all Socket.IO applications of this process be mounted. A second call does nothing."""
    if getattr(engineio.ASGIApp.__call__, "__module__", "") != __name__:
        original = replace(engineio.ASGIApp, "__call__", None)
        replace(engineio.ASGIApp, "__call__", _with_mounts(original))


def is_below(path: str, root: str, own: str | None) -> bool:
    """Whether a request is for an application at ``own`` that is mounted at ``root``.

    ``own`` begins and ends with a slash; None is an application that gets every request in any case.
    """
    if not root or own is None or not path.startswith(root):
        return False
    below = path[len(root) :]
    return (below if below.endswith("/") else below + "/").startswith(own)


def _with_mounts(original: Callable[..., Any]) -> Callable[..., Any]:
    async def __call__(app: Any, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] in ("http", "websocket") and is_below(
            scope["path"], scope.get("root_path", ""), app.engineio_path
        ):
            # The scope stays whole: another node that gets it begins at the outermost application.
            await app.engineio_server.handle_request(scope, receive, send)
        else:
            await original(app, scope, receive, send)

    return __call__
