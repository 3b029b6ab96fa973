"""Makes the kernel's table of a worker's open files large before connections fill it."""

from __future__ import annotations

import fcntl
import os
import resource
from contextlib import suppress
from typing import Final

ROOM: Final = 16_384
"""Open files for which there is room from the beginning: 128 KB in the kernel."""


def make_room() -> None:
    """Let this process open ROOM files, or as many as it may, without a pause.

    Linux doubles the table when it is full. A process with threads then stands still until all processors
    have let go of the old one, which takes 5 to 20 ms: nobody was served so long at the 128th connection, the
    256th, the 512th, ... The table never shrinks.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    last = (ROOM if soft == resource.RLIM_INFINITY else min(ROOM, soft)) - 1
    with suppress(OSError), open(os.devnull) as some:  # without room all works as well, but for the pauses
        os.close(fcntl.fcntl(some.fileno(), fcntl.F_DUPFD_CLOEXEC, last))
