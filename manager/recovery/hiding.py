"""Hides pids in Engine.IO's log of all packets, which an application may switch on (``engineio_logger``)."""

from __future__ import annotations

import logging
import re
from typing import Final

_PID: Final = re.compile(r'("pid":\s*")[^"]+')


def hide_pids(record: logging.LogRecord) -> bool:
    """Blot out the pids in what a record says. As a filter of a logger it lets every record pass."""
    if isinstance(record.args, tuple):
        record.args = tuple(_PID.sub(r"\1…", arg) if isinstance(arg, str) else arg for arg in record.args)
    return True
