"""The event loop of a worker: uvloop's if it is installed, or else asyncio's."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

TLS_SECONDS: Final = 10.0
"""The time for a TLS handshake, and for a client's goodbye: as long as for the first request after it."""

if TYPE_CHECKING:
    Loop = asyncio.SelectorEventLoop
else:
    try:
        from uvloop import Loop
    except ImportError:
        from asyncio import SelectorEventLoop as Loop


class WorkerLoop(Loop):
    """An event loop whose servers do not wait for a minute for a TLS handshake, and then for its end.

    Meanwhile a connection costs 70 KB, and no protocol knows of it.
    """

    async def create_server(self, *args: Any, ssl: Any = None, **options: Any) -> asyncio.Server:
        """Create a server, as any event loop."""
        if ssl is not None:
            options = {"ssl_handshake_timeout": TLS_SECONDS, "ssl_shutdown_timeout": TLS_SECONDS, **options}
        return await super().create_server(*args, ssl=ssl, **options)
