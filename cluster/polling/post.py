"""A POST whose packets are handled."""

from __future__ import annotations

from typing import Any


class Post:
    """A POST of a session.

    Args:
        connection: the HTTP connection.
    """

    __slots__ = ("connection",)

    def __init__(self, connection: Any) -> None:
        self.connection: Any = connection

    def lost(self) -> None:
        """Answer nobody: the connection has ended. The packets have come, and are handled."""
        self.connection = None
