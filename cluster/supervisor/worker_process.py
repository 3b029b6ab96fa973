"""The supervisor's view of one worker process, from its start to its end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Coroutine, Mapping
from typing import Any

from socketio_cluster.cluster.sockets import WORKER
from socketio_cluster.cluster.supervisor.lifeline import DRAINED, REPLACED, WorkerOptions, encode
from socketio_cluster.cluster.supervisor.signals import Stopping

# Silence is counted in so many short waits instead of by the clock: a supervisor that was itself
# paused (Ctrl-Z, a sleeping laptop) has then missed one wait and does not blame its workers.
TICKS = 10
# How long a worker may take to stop at the second signal.
HURRY_SECONDS = 3.0


class WorkerProcess:
    """A running worker: when it is ready, whether it still beats, how it ended."""

    def __init__(
        self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.process = process
        self.node_id: str | None = None
        self._reader = reader
        self._writer = writer  # its end closes the lifeline

    @classmethod
    async def spawn(cls, options: WorkerOptions, env: Mapping[str, str]) -> WorkerProcess:
        """Start a worker with its listening sockets, and hand `options` over through a lifeline."""
        ours, theirs = socket.socketpair()
        with theirs:
            reader, writer = await asyncio.open_connection(sock=ours)
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, *WORKER, options.node, str(theirs.fileno())),
                env=env,
                pass_fds=(*options.fds, theirs.fileno()),
                stdin=asyncio.subprocess.DEVNULL,
                # Ctrl-C in a terminal reaches a whole group: here it shall reach the supervisor alone.
                start_new_session=True,
            )
        writer.write(encode(options))
        return cls(process, reader, writer)

    async def ready(self, timeout: float) -> str | None:
        """Wait until it accepts; returns None then, else what happened instead."""
        try:
            line = await self._line(timeout)
        except TimeoutError:
            return await self._give_up(f"did not accept within {timeout:g} s and was killed")
        if not line:
            return await self._ending()
        self.node_id = line.split()[1].decode()
        return None

    async def end(self, stuck_after: float) -> str:
        """Wait until it ends, or kill it when its event loop falls silent; returns what happened."""
        try:
            while line := await self._line(stuck_after):
                if line == DRAINED:
                    self._signal(signal.SIGINT)  # somebody else has told it to drain: it is replaced
        except TimeoutError:
            return await self._give_up(f"was stuck for {stuck_after:g} s and was killed")
        return await self._ending()

    async def drain(self, patience: float, hurry: asyncio.Event, *, replaced: bool) -> None:
        """Ask it to let its clients go; returns when it has, after `patience` seconds, or at a hurry.

        One that is `replaced` also leaves new connections to its successor.
        """
        if replaced and self.node_id is not None:
            self._writer.write(REPLACED)
        else:
            self._signal(signal.SIGTERM)
        await first(self._drained(), hurry.wait(), timeout=patience)

    async def stop(self, grace: float, stopping: Stopping) -> None:
        """Ask it to stop; kill it after `grace` seconds, or soon after a hurry."""
        # Not SIGTERM again: of two signals with one number that come together, one counts.
        self._signal(signal.SIGINT)
        await first(self.process.wait(), stopping.hurry.wait(), timeout=grace)
        if stopping.hurry.is_set():
            self._signal(signal.SIGINT)
            await first(self.process.wait(), stopping.kill.wait(), timeout=HURRY_SECONDS)
        self._signal(signal.SIGKILL)
        await self.process.wait()
        self._writer.close()

    async def _drained(self) -> None:
        while (line := await self._reader.readline()) and line != DRAINED:
            pass

    async def _line(self, patience: float) -> bytes:
        for _ in range(TICKS):
            with contextlib.suppress(TimeoutError):
                return await asyncio.wait_for(self._reader.readline(), patience / TICKS)
        raise TimeoutError

    async def _give_up(self, reason: str) -> str:
        self._signal(signal.SIGKILL)
        await self.process.wait()
        return reason

    async def _ending(self) -> str:
        code = await self.process.wait()
        return f"ended with code {code}" if code >= 0 else f"was killed by {signal.Signals(-code).name}"

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)


async def first(*waits: Coroutine[Any, Any, Any], timeout: float | None = None) -> None:
    """Return when one of them is done or `timeout` seconds are over; cancels the others.

    Raises what the one that is done raised.
    """
    tasks = [asyncio.create_task(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
