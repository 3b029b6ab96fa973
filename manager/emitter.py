"""``Emitter``: emits events and changes rooms from a blocking program that serves no clients."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar, Unpack

from socketio_cluster.manager.async_emitter import AsyncEmitter, Recipients
from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.clients.packets import PacketClass
from socketio_cluster.manager.loops import LoopThread
from socketio_cluster.manager.option_values import OptionValues
from socketio_cluster.manager.queries.blocking_calls import BlockingCalls
from socketio_cluster.manager.queries.broadcast import Calls
from socketio_cluster.manager.queries.selection import Chosen

T = TypeVar("T")


class Emitter(BlockingCalls):
    """An ``AsyncEmitter`` for programs that block: Flask, Django, Celery, a cron job.

    Every call waits for its result. One emitter serves all threads of a process. Its work runs on an event
    loop in a thread of its own, which the first call starts, and the first call after a fork starts again.
    In a coroutine use ``AsyncEmitter``, because this class would block the event loop. Arguments and errors
    are those of ``AsyncEmitter``.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        serializer: str | PacketClass = "default",
        json: Any = None,
        timeout: float = 5.0,
        **options: Unpack[OptionValues],
    ) -> None:
        self._make = partial(AsyncEmitter, url, serializer=serializer, json=json, timeout=timeout, **options)
        self._make()  # A setting that cannot work raises here, and not at the first emit.
        # The keys are process ids: after a fork the parent's thread is missing, and its lock may stay locked.
        self._locks: dict[int, threading.Lock] = {}
        self._homes: dict[int, tuple[LoopThread, AsyncEmitter]] = {}

    def __enter__(self) -> Emitter:
        """Connect to the bus. Raises ``BrokerError`` if it is not reached in time."""
        loop, emitter = self._home()
        loop.run(emitter.__aenter__())
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def emit(
        self,
        event: str,
        data: Any = None,
        to: Recipients = None,
        room: Recipients = None,
        skip_sid: str | list[str] | None = None,
        namespace: str | None = None,
        **chosen: Unpack[Chosen],
    ) -> None:
        """Emit, and return when the bus has the event. See ``AsyncEmitter.emit``."""
        loop, emitter = self._home()
        loop.run(emitter.emit(event, data, to, room, skip_sid, namespace, **chosen))

    def send(
        self,
        data: Any,
        to: Recipients = None,
        room: Recipients = None,
        skip_sid: str | list[str] | None = None,
        namespace: str | None = None,
        **chosen: Unpack[Chosen],
    ) -> None:
        """Emit the event ``message``, as ``emit``."""
        self.emit("message", data, to, room, skip_sid, namespace, **chosen)

    def enter_room(self, sid: str, room: Room, namespace: str | None = None) -> None:
        """Put a client into a room. See ``AsyncEmitter.enter_room``."""
        loop, emitter = self._home()
        loop.run(emitter.enter_room(sid, room, namespace))

    def leave_room(self, sid: str, room: Room, namespace: str | None = None) -> None:
        """Take a client out of a room. See ``AsyncEmitter.leave_room``."""
        loop, emitter = self._home()
        loop.run(emitter.leave_room(sid, room, namespace))

    def close_room(self, room: Room, namespace: str | None = None) -> None:
        """Take all clients out of a room. See ``AsyncEmitter.close_room``."""
        loop, emitter = self._home()
        loop.run(emitter.close_room(room, namespace))

    def disconnect(self, sid: str, namespace: str | None = None) -> None:
        """Disconnect a client. See ``AsyncEmitter.disconnect``."""
        loop, emitter = self._home()
        loop.run(emitter.disconnect(sid, namespace))

    def wait_for(self, call: Callable[[Calls], Coroutine[Any, Any, T]]) -> T:
        """Run a call of the ``AsyncEmitter`` on its event loop, and return its result or raise its error."""
        loop, emitter = self._home()
        return loop.run(call(emitter))

    def close(self) -> None:
        """Leave the bus and end the thread. This is done automatically when the process ends."""
        with self._lock():
            home = self._homes.pop(os.getpid(), None)
        if home is not None:
            atexit.unregister(self.close)
            loop, emitter = home
            try:
                loop.run(emitter.close())
            finally:
                loop.stop()

    def _home(self) -> tuple[LoopThread, AsyncEmitter]:
        with self._lock():
            home = self._homes.get(os.getpid())
            if home is None:
                home = self._homes[os.getpid()] = LoopThread("emitter"), self._make()
                atexit.register(self.close)
            return home

    def _lock(self) -> threading.Lock:
        return self._locks.setdefault(os.getpid(), threading.Lock())
