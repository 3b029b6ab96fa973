"""Handlers that raise ``SystemExit`` or ``KeyboardInterrupt``: for asyncio the end of the whole node."""

from __future__ import annotations

from typing import Final

EXITS: Final = (SystemExit, KeyboardInterrupt)
FAILURES: Final = (Exception, *EXITS)
"""What is an error of a handler, and nobody else's affair."""


class HandlerExit(RuntimeError):
    """The handler of an event wanted to end the process; ``__cause__`` is what it raised."""

    def __init__(self, event: str, error: BaseException) -> None:
        super().__init__(f"the handler of {event!r} raised {type(error).__name__}")
        self.__cause__ = error


def contained(event: str, error: BaseException) -> Exception:
    """Give an error of ``FAILURES`` as an ``Exception``."""
    return error if isinstance(error, Exception) else HandlerExit(event, error)
