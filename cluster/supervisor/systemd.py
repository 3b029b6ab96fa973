"""Tells systemd the state of the service, as in sd_notify(3); without systemd it does nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import MutableMapping
from typing import Final

VARIABLES: Final = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


class Systemd:
    """Sends datagrams to the socket that systemd names in the environment.

    The variables are removed from ``environ``, because they are not meant for the processes that this one
    starts.
    """

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        path, patience, pid = (environ.pop(name, "") for name in VARIABLES)
        self._path = "\0" + path[1:] if path.startswith("@") else path
        watched = patience.isdecimal() and pid in ("", str(os.getpid()))
        self._patience = int(patience) / 1_000_000 if watched else 0.0

    def ready(self, status: str) -> None:
        """Tell systemd that the service serves; `status` is a text for people."""
        self._tell("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """Tell systemd that the service replaces its workers, until `ready` is called."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Tell systemd that the service begins to stop."""
        self._tell("STOPPING=1")

    async def keep_alive(self) -> None:
        """Tell systemd that this event loop runs, twice in each watchdog interval.

        It runs until cancelled.
        """
        while self._patience:
            self._tell("WATCHDOG=1")
            await asyncio.sleep(self._patience / 2)

    def _tell(self, *lines: str) -> None:
        # OSError means that systemd does not read now, or is gone. Nothing here depends on it.
        if self._path:
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
                sock.setblocking(False)
                sock.sendto("\n".join(lines).encode(), self._path)
