"""A poll that waits for a packet, without a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from socketio_cluster.cluster.polling.head import Head
    from socketio_cluster.cluster.polling.server_polls import ServerPolls


class Poll:
    """A GET of a session that waits.

    Args:
        group: the polls of its server.
        connection: the HTTP connection.
        head: its header fields.
        socket: python-engineio's socket.
        time: what tells this request from others of its session.
    """

    __slots__ = ("_group", "connection", "head", "socket", "time")

    def __init__(self, group: ServerPolls, connection: Any, head: Head, socket: Any, time: bytes) -> None:
        self._group = group
        self.connection = connection
        self.head = head
        self.socket = socket
        self.time = time

    def wake(self) -> None:
        """Answer soon: a packet has come."""
        self._group.flusher.add(self)

    def flush(self) -> None:
        """Answer with the packets that have come."""
        self._group.answer(self)

    def lost(self) -> None:
        """End the session: what would be written into this poll is lost."""
        self._group.lost(self)
