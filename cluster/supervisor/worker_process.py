"""The supervisor's view of one worker process, from its start to its end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Coroutine, Mapping
from typing import Any

from socketio_cluster.cluster.sockets.sockets import WORKER
from socketio_cluster.cluster.supervisor.lifeline import DRAINED, REPLACED, WorkerOptions, encode
from socketio_cluster.cluster.supervisor.signals import Stopping

# Silence is measured by so many short waits instead of by the clock. A supervisor that was itself paused (by
# Ctrl-Z, or a laptop that slept) has then missed one wait, and does not kill its workers.
TICKS = 10
# Seconds that a worker may take to stop after the second signal.
HURRY_SECONDS = 3.0


class WorkerProcess:
    """A running worker: it waits for its reports and its end, and asks it to drain or stop."""

    def __init__(
        self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.process = process
        self.node_id: str | None = None
        self._reader = reader
        self._writer = writer  # when it is closed, the worker's lifeline ends

    @classmethod
    async def spawn(cls, options: WorkerOptions, env: Mapping[str, str]) -> WorkerProcess:
        """Start a worker with its listening sockets, and send it `options` through its lifeline.

        Raises OSError when the system starts no process.
        """
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=ours)
        try:
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, *WORKER, options.node, str(theirs.fileno())),
                    env=env,
                    pass_fds=(*options.inherited, theirs.fileno()),
                    stdin=asyncio.subprocess.DEVNULL,
                    # Ctrl-C in a terminal reaches a whole process group. It must reach the supervisor alone.
                    start_new_session=True,
                )
        except OSError:
            writer.close()
            raise
        writer.write(encode(options))
        return cls(process, reader, writer)

    async def ready(self, timeout: float) -> str | None:
        """Wait until it accepts; return None then, or a text about what happened instead."""
        try:
            line = await self._line(timeout)
        except TimeoutError:
            return await self._give_up(f"did not accept within {timeout:g} s and was killed")
        if not line:
            return await self._ending()
        self.node_id = line.split()[1].decode()
        return None

    async def end(self, stuck_after: float) -> str:
        """Wait until it ends, or kill it when its event loop is silent; return a text about what happened."""
        try:
            while line := await self._line(stuck_after):
                if line == DRAINED:
                    # It was asked to drain by a signal from outside: it stops, and is started again.
                    self._signal(signal.SIGINT)
        except TimeoutError:
            return await self._give_up(f"was stuck for {stuck_after:g} s and was killed")
        return await self._ending()

    async def drain(self, patience: float, hurry: asyncio.Event, *, replaced: bool) -> None:
        """Ask it to drain; return when it has drained, after `patience` seconds, or when `hurry` is set.

        A worker that is `replaced` also leaves new connections to its successor.
        """
        if replaced and self.node_id is not None:
            self._writer.write(REPLACED)
        else:
            self._signal(signal.SIGTERM)
        await first(self._drained(), hurry.wait(), timeout=patience)

    async def stop(self, grace: float, stopping: Stopping) -> None:
        """Ask it to stop; kill it after `grace` seconds, or soon after `stopping.hurry` is set."""
        # It is not SIGTERM again: of two signals with one number that come together, only one is delivered.
        self._signal(signal.SIGINT)
        await first(self.process.wait(), stopping.hurry.wait(), timeout=grace)
        if stopping.hurry.is_set():
            self._signal(signal.SIGINT)
            await first(self.process.wait(), stopping.kill.wait(), timeout=HURRY_SECONDS)
        self._signal(signal.SIGKILL)
        await self.process.wait()
        self._writer.close()

    async def _drained(self) -> None:
        while (line := await self._read()) and line != DRAINED:
            pass

    async def _line(self, patience: float) -> bytes:
        for _ in range(TICKS):
            with contextlib.suppress(TimeoutError):
                return await asyncio.wait_for(self._read(), patience / TICKS)
        raise TimeoutError

    async def _read(self) -> bytes:
        """Return the next line, nothing at the end."""
        try:
            return await self._reader.readline()
        except ConnectionError:  # it has ended before it read its options
            return b""

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
    """Return when one of the coroutines is done or `timeout` seconds are over; cancel the others.

    Raises the error of the one that is done.
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
