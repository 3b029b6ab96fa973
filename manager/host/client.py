"""python-engineio's client for asyncio, which tells the server that its user knows recovery."""

from __future__ import annotations

from secrets import token_urlsafe
from typing import Any
from urllib.parse import parse_qs, urlsplit

import engineio


class ClientEngine(engineio.AsyncClient):  # type: ignore[misc]
    """What ``AsyncClient`` connects with."""

    async def connect(
        self,
        url: str,
        headers: dict[str, str] | None = None,
        transports: Any = None,
        engineio_path: str = "engine.io",
    ) -> None:
        """Connect to an Engine.IO server. Raises ``engineio.exceptions.ConnectionError``."""
        try:
            await super().connect(announce(url), headers, transports, engineio_path)
        except BaseException:
            if self.state == "disconnected":  # otherwise it was connected already
                await self._reset()  # Closes aiohttp's session, which would be kept for a next try.
            raise

    def _get_url_timestamp(self) -> str:
        return unlike_others() if self.timestamp_requests else ""


def unlike_others() -> str:
    """Return the end of a query that no other request has.

    aiohttp sends a GET again when its connection breaks. By this the server sees that it was answered before,
    and that the packets of its answer are lost. The clock, which python-engineio takes, may be too coarse.
    """
    return f"&t={token_urlsafe(9)}"


def announce(url: str) -> str:
    """Return a URL that says that the client knows recovery, unless it says already whether it does."""
    parts = urlsplit(url)
    if "recovery" in parse_qs(parts.query):
        return url
    return parts._replace(query=f"{parts.query}&recovery=1".lstrip("&")).geturl()
