"""Whom an emit of a Flask-SocketIO application is for.

``SocketIO.emit`` asks ``to or room``, so ``to=[]``, ``to=0`` and ``to=""`` would be everybody. What is given
as ``room`` alone it passes on as it is.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, Final

_METHODS: Final = ("emit", "call")


def keep_recipients() -> None:
    """Let the methods of ``SocketIO`` pass on whom they are given, if this process has Flask-SocketIO.

    On the class, as the server does not know its ``SocketIO``; once is enough.
    """
    module = sys.modules.get("flask_socketio")
    if module is None:
        return
    for name in _METHODS:
        method = getattr(module.SocketIO, name)
        if not hasattr(method, "__wrapped__"):
            setattr(module.SocketIO, name, _by_room(method))


def _by_room(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def by_room(*args: Any, to: Any = None, **options: Any) -> Any:
        if to is not None:
            options["room"] = to
        return method(*args, **options)

    return by_room
