"""``RecoveringClient``: what ``AsyncClient`` and ``Client`` share, to come back to their sessions."""

from __future__ import annotations

from typing import Any, Final

from socketio_cluster.cluster.clients.client_sessions import ClientSessions

WAIT_SECONDS: Final = 20.0
"""How long a server may take to answer CONNECT. After a crash it asks the node that is gone for a second."""


class RecoveringClient:
    """Goes in front of a client of python-socketio, and lets it keep its sessions and wait for them."""

    connected: bool
    connection_namespaces: list[str]
    _connect_event: Any
    _reconnect_task: Any

    def __init__(self, *args: Any, **options: Any) -> None:
        self._sessions = ClientSessions()
        super().__init__(*args, **options)

    @property
    def recovered(self) -> bool:
        """Whether the client has the session of its former connection, in the namespace ``/``."""
        return self._sessions.recovered("/")

    def get_recovered(self, namespace: str | None = None) -> bool:
        """Return whether the client has the session of its former connection, in a namespace."""
        return self._sessions.recovered(namespace or "/")

    def connect(
        self,
        url: Any,
        headers: Any = {},  # noqa: B006
        auth: Any = None,
        transports: Any = None,
        namespaces: Any = None,
        socketio_path: str = "socket.io",
        wait: bool = True,
        wait_timeout: float = WAIT_SECONDS,
        retry: bool = False,
    ) -> Any:
        """Connect as python-socketio's client does. ``wait_timeout`` is in seconds.

        Raises ``socketio.exceptions.ConnectionError``.
        """
        return super().connect(  # type: ignore[misc]
            url,
            headers=headers,
            auth=auth,
            transports=transports,
            namespaces=namespaces,
            socketio_path=socketio_path,
            wait=wait,
            wait_timeout=wait_timeout,
            retry=retry,
        )

    def _cut_before_the_answer(self) -> None:
        """Let a try to come back, which waits for the answer to CONNECT, end: its transport has ended.

        python-socketio would wait until the time is up, and then say goodbye to the namespaces that had
        their answer, and so lose their sessions. The first ``connect`` has no try before it: it goes on
        waiting, for the tries that begin now.
        """
        if not self.connected and self._reconnect_task is not None:
            self.namespaces: dict[str, Any] = {}
            self.failed_namespaces = list(self.connection_namespaces)
            self._connect_event.set()
