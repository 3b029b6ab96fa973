"""The limit on the event handlers that run for one client of a threaded server.

``host/handlers.py`` does the same for an asyncio server.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from socketio_cluster.manager.host.handlers import HANDLER
from socketio_cluster.manager.host.server import Host


class SyncHandlers:
    """Counts the handlers that a server starts, each in its own thread.

    Args:
        host: the threaded server.
        most: the most handlers that may run for one connection. At the limit the thread that reads from the
            connection waits.
    """

    def __init__(self, host: Host, most: int) -> None:
        self._most = most
        self._start = host.background_task.outermost
        self._running: Counter[str] = Counter()
        self._changed = threading.Condition()
        host.background_task.put("handlers", lambda _: self._start_task)

    @property
    def count(self) -> int:
        """How many handlers run now. Those of clients that have left count too."""
        return self._running.total()

    def _start_task(self, target: Any, *args: Any, **kwargs: Any) -> Any:
        if getattr(target, "__name__", "") != HANDLER:
            return self._start(target, *args, **kwargs)
        eio_sid = args[2]
        with self._changed:
            self._changed.wait_for(lambda: self._running[eio_sid] < self._most)
            self._running[eio_sid] += 1
        try:
            return self._start(self._run, eio_sid, target, *args, **kwargs)
        except BaseException:  # No thread could be started.
            self._end(eio_sid)
            raise

    def _run(self, eio_sid: str, target: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        try:
            target(*args, **kwargs)
        finally:
            self._end(eio_sid)

    def _end(self, eio_sid: str) -> None:
        with self._changed:
            self._running[eio_sid] -= 1
            if not self._running[eio_sid]:
                del self._running[eio_sid]
            self._changed.notify_all()
