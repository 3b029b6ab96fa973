"""``Recovery``: what a client keeps to have its session back, as the official JavaScript client keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Recovery:
    """The private id and the last offset of one client, over all its connections."""

    __slots__ = ("offset", "pid", "recovered")

    def __init__(self) -> None:
        self.pid: str | None = None
        """The private id; None as long as the server knows no recovery."""
        self.offset: str | None = None
        self.recovered = False
        """Whether the present connection goes on with the session of the one before."""

    def auth(self, auth: Any) -> Any:
        """What to send with CONNECT: the claim, and what the user wants to send."""
        if self.pid is None:
            return auth
        claim = {"pid": self.pid} if self.offset is None else {"pid": self.pid, "offset": self.offset}
        return {**claim, **(auth or {})}

    def connected(self, answer: Mapping[str, Any]) -> None:
        """Take the answer to CONNECT."""
        pid = answer.get("pid")
        self.recovered = pid is not None and pid == self.pid
        self.pid = pid

    def strip(self, args: list[Any]) -> list[Any]:
        """Note the offset behind the arguments of an event, and give them without it."""
        if self.pid is None or not args or not isinstance(args[-1], str):
            return args
        self.offset = args[-1]
        return args[:-1]
