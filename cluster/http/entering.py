"""Gives the application of a uvicorn server its short way in."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from uvicorn import Config
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from socketio_cluster.manager.tasks import run_now

Complete = Callable[[dict[str, Any]], object]
"""Completes an ASGI scope, as the middleware does that uvicorn itself puts before the application."""


def open_entrance(config: Config, make: Callable[[Any, Any, Complete], Any]) -> None:
    """Let a function put an application with a short way in before that of a server.

    Args:
        config: the settings of the server.
        make: takes the application with and without uvicorn's middleware, and what that does to a scope.
    """
    app = config.loaded_app
    if config.root_path:
        return  # the short way looks at the bare path
    if type(app) is ProxyHeadersMiddleware:
        proxy: Any = copy.copy(app)
        proxy.app = _end
        config.loaded_app = make(app, app.app, lambda scope: run_now(proxy(scope, None, None)))
    else:
        config.loaded_app = make(app, app, _leave)


async def _end(*_: Any) -> None:
    """Stand for the application behind the middleware, which has done its work then."""


def _leave(scope: dict[str, Any]) -> None:
    """Leave a scope as it is."""
