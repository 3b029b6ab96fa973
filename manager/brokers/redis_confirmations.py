"""``Confirmations``: what a Redis server has yet to confirm of SUBSCRIBE and the like, channel by channel."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

import msgspec

from socketio_cluster.manager.brokers.patience import Patience
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
        silent: is called when the server has not confirmed a command in time. See ``Patience``.
    """

    def __init__(self, silent: Callable[[], object]) -> None:
        self._loop = asyncio.get_running_loop()
        self._commands: deque[Command] = deque()
        self._patience = Patience(self._loop, self._commands, silent)

    def expect(self, kind: bytes, names: Sequence[bytes]) -> None:
        """Note that a command for these channels was written. ``kind`` is the word of its replies."""
        self._commands.append(Command(kind, names, self._loop.time(), []))
        self._patience.asked()

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
        self._patience.end()
        while self._commands:
            _wake(self._commands.popleft())


def _wake(command: Command) -> None:
    for waiting in command.waiting:
        set_once(waiting, None)
