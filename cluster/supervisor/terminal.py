"""Whether a SIGHUP says that the terminal is gone, or asks a program to reload."""

from __future__ import annotations

import os
import signal


class Terminal:
    """The terminal that this process was started from, unless it shall outlive it, as nohup says."""

    def __init__(self) -> None:
        self._ours = _is_there() and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN

    def is_gone(self) -> bool:
        """Whether there was one, and now there is none."""
        return self._ours and not _is_there()


def _is_there() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
