"""The end of a threaded server's process: its connections are closed before the process waits for threads.

A thread that serves a WebSocket lives as long as its client. A server that waits for its threads, as gunicorn
does, would wait until it is killed.
"""

from __future__ import annotations

import _thread
import atexit
import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

from socketio_cluster.manager.host.sync.session import cut, hang_up

SECONDS: Final = 3.0
"""How long the disconnect handlers may take at the end."""


def say_goodbye(server: Any) -> None:
    """Close all connections in such a way that the clients connect again, to another node.

    Returns when the disconnect handlers have ended, or after ``SECONDS``.
    """
    sockets = list(server.eio.sockets.values())
    reason = server.reason.SERVER_DISCONNECT
    threads = [server.start_background_task(hang_up, socket, reason) for socket in sockets]
    end = time.monotonic() + SECONDS
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    while not all(socket.closed for socket in sockets) and time.monotonic() < end:
        server.sleep(0.01)  # These clients were leaving already, in threads of their own.
    for socket in sockets:
        if socket.upgraded and not socket.queue.empty():  # The client does not read, so the writer is stuck.
            cut(socket)


def on_signals(leave: Callable[[], None]) -> None:
    """Call ``leave`` at SIGTERM, SIGINT and SIGQUIT, and then the handler that the signal had before.

    Must be called in the main thread. Raises ``ValueError`` in any other thread.
    """
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, _LeaveFirst(leave, signal.getsignal(number)))


class _LeaveFirst:
    """The handler of one signal. It does not wait, because its thread may hold a lock that leaving needs.

    With gevent it runs in the hub, where nothing may wait at all, not even for a thread to start.
    """

    def __init__(self, leave: Callable[[], None], previous: Any) -> None:
        self._leave = leave
        self._previous = previous
        self._told = False
        self._left = threading.Event()

    def __call__(self, number: int, frame: FrameType | None) -> None:
        first, self._told = not self._told, True
        if first:
            # The interpreter waits only for threads of `threading`, and this is none.
            atexit.register(self._left.wait, SECONDS)
            _thread.start_new_thread(self._go, (number,))
        if callable(self._previous):
            self._previous(number, frame)
        elif not first:  # The node has left and signals again, or somebody does not want to wait for it.
            signal.signal(number, self._previous)
            signal.raise_signal(number)

    def _go(self, number: int) -> None:
        try:
            self._leave()
        finally:
            self._left.set()
            if not callable(self._previous):
                os.kill(os.getpid(), number)
