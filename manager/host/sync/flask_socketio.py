"""Makes Flask-SocketIO pass on the recipients of an event as they are.

Its ``emit`` and ``call`` evaluate ``to or room``, so ``to=[]``, ``to=0`` and ``to=""`` would reach everybody.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, Final

_METHODS: Final = ("emit", "call")


def keep_recipients() -> None:
    """Let ``SocketIO.emit`` and ``call`` pass on ``to`` as it was given, if this process has Flask-SocketIO.

    They are replaced on the class, once, because a server does not know its ``SocketIO``.
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
