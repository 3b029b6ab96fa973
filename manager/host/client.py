"""python-engineio's client for asyncio, which tells the server that its user knows recovery."""

from __future__ import annotations

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
        await super().connect(announce(url), headers, transports, engineio_path)


def announce(url: str) -> str:
    """Return a URL that says that the client knows recovery, unless it says already whether it does."""
    parts = urlsplit(url)
    if "recovery" in parse_qs(parts.query):
        return url
    return parts._replace(query=f"{parts.query}&recovery=1".lstrip("&")).geturl()
