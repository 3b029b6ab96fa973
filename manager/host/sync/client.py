"""python-engineio's client for threads, which reads in order, and tells that its user knows recovery."""

from __future__ import annotations

from typing import Any

import engineio

from socketio_cluster.manager.host.client import announce, unlike_others


class ClientEngine(engineio.Client):  # type: ignore[misc]
    """What ``Client`` connects with."""

    def connect(
        self,
        url: str,
        headers: dict[str, str] | None = None,
        transports: Any = None,
        engineio_path: str = "engine.io",
    ) -> None:
        """Connect to an Engine.IO server. Raises ``engineio.exceptions.ConnectionError``."""
        super().connect(announce(url), headers, transports, engineio_path)

    def _reset(self) -> None:
        """Close what is left open: a WebSocket that was silent or broke, and sockets of requests."""
        ws, http = self.ws, None if self.external_http else self.http
        super()._reset()
        if ws is not None:
            ws.shutdown()
        if http is not None:
            http.close()

    def _get_url_timestamp(self) -> str:
        return unlike_others() if self.timestamp_requests else ""

    def _trigger_event(self, event: str, *args: Any, **kwargs: Any) -> Any:
        """Call a handler. That of a message is called by the thread that reads.

        In a thread for each message one could overtake another: the client would go on from the wrong offset,
        and an attachment could come before its packet.
        """
        if event == "message":
            kwargs["run_async"] = False
        return super()._trigger_event(event, *args, **kwargs)
