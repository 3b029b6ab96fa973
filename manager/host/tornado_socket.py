"""Tornado's WebSockets, which python-engineio writes to without waiting for the client.

What a client does not read would pile up in Tornado's buffer, behind the bounded queue of ``outbox``. Here
a write ends when Tornado has room again, so the queue fills and its bound holds.
"""

from __future__ import annotations

import asyncio
from typing import Any

from engineio.exceptions import EngineIOError

from socketio_cluster.manager.host.server import Host


def pace(host: Host) -> None:
    """Let an Engine.IO server in the async mode ``tornado`` wait for its clients."""
    eio = host.engine
    driver = host.driver("websocket")
    plain: Any = driver.own

    class PacedWebSocket(plain):  # type: ignore[misc]
        """python-engineio's class with another ``send``."""

        async def send(self, message: str | bytes) -> None:
            """Send a message; raises ``EngineIOError`` when the connection is closed or the client dead."""
            try:
                # A client that takes nothing for so long has answered no ping either.
                async with asyncio.timeout(eio.ping_interval + eio.ping_timeout):
                    await self.tornado_handler.write_message(message, binary=isinstance(message, bytes))
            except Exception as error:  # TimeoutError, or Tornado's WebSocketClosedError
                raise EngineIOError(f"the client cannot be written to: {error!r}") from error

    driver.put("tornado", lambda _: PacedWebSocket)
