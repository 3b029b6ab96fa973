"""``Confirmations``: what a Redis server has yet to confirm of SUBSCRIBE and the like, channel by channel."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

import msgspec

from socketio_cluster.manager.brokers.inbox import REPLY_TIMEOUT
from socketio_cluster.manager.tasks import set_once


class Command(msgspec.Struct):
    """A command that was written at the time ``at`` (of the loop).

    The first ``confirmed`` of its channels are confirmed. ``waiting`` are to be woken at the last one.
    """

    kind: bytes
    names: Sequence[bytes]
    at: float
    waiting: list[asyncio.Future[None]]
    confirmed: int = 0


class Confirmations:
    """The commands that are not confirmed yet. The server confirms in the order of the commands.

    Args:
        silent: is called when the server has not confirmed a command for ``REPLY_TIMEOUT``.
    """

    def __init__(self, silent: Callable[[], object]) -> None:
        self._loop = asyncio.get_running_loop()
        self._silent = silent
        self._commands: deque[Command] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def expect(self, kind: bytes, names: Sequence[bytes]) -> None:
        """Note that a command for these channels was written. ``kind`` is the word of its replies."""
        self._commands.append(Command(kind, names, self._loop.time(), []))
        if self._timer is None:
            self._timer = self._loop.call_later(REPLY_TIMEOUT, self._look)

    async def last(self) -> None:
        """Return when all that was written until now is confirmed, or the connection has ended.

        Cancelling is safe.
        """
        if self._commands:
            confirmed = self._loop.create_future()
            self._commands[-1].waiting.append(confirmed)
            await confirmed

    def confirm(self, kind: bytes, name: bytes) -> bool:
        """Take a reply, and wake those who wait for the last one to a command.

        Returns False for a reply that is not the next one.
        """
        command = self._commands[0] if self._commands else None
        if command is None or command.names[command.confirmed] != name or command.kind != kind:
            return False
        command.confirmed += 1
        if command.confirmed == len(command.names):
            self._commands.popleft()
            _wake(command)
        return True

    def end(self) -> None:
        """Wake everybody: the connection has ended."""
        if self._timer is not None:
            self._timer.cancel()
        while self._commands:
            _wake(self._commands.popleft())

    def _look(self) -> None:
        """Complain if the oldest command waits for too long. One timer does for all of them."""
        self._timer = None
        if not self._commands:
            return
        left = self._commands[0].at + REPLY_TIMEOUT - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._look)
        else:
            self._silent()


def _wake(command: Command) -> None:
    for waiting in command.waiting:
        set_once(waiting, None)
