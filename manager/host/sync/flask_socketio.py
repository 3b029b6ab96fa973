"""Makes Flask-SocketIO pass on the recipients of an event as they are, and finds its own message queues.

Its ``emit`` and ``call`` evaluate ``to or room``, so ``to=[]``, ``to=0`` and ``to=""`` would reach everybody.
"""

from __future__ import annotations

import functools
import gc
import sys
from collections.abc import Callable
from typing import Any, Final

from socketio_cluster.manager.bus.registry import safe_url

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


def queues_beside() -> list[str]:
    """Return the URLs of ``SocketIO(message_queue=…)`` in this process, which are not the bus of the cluster.

    Flask-SocketIO takes no notice of them where there is a ``client_manager``, and elsewhere emits to
    processes of its own kind alone.
    """
    module = sys.modules.get("flask_socketio")
    if module is None:
        return []
    found = [one for one in gc.get_objects() if issubclass(type(one), module.SocketIO)]
    queues = [one.server_options.get("message_queue") for one in found]
    return sorted({safe_url(str(queue)) for queue in queues if queue})


def _by_room(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def by_room(*args: Any, to: Any = None, **options: Any) -> Any:
        if to is not None:
            options["room"] = to
        return method(*args, **options)

    return by_room
