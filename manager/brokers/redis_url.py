"""What a Redis URL says: hosts, credentials and connection options."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from redis.asyncio.connection import parse_url

from socketio_cluster.manager.errors import SettingError

Settings = dict[str, Any]
"""Keyword arguments of a ``redis.asyncio`` connection."""

Address = tuple[str, int]

POOL_ONLY = ("max_connections", "timeout")
"""Options of redis-py's pools that people carry over from other URLs; we use no pool."""


def read_settings(url: str) -> Settings:
    """Give the connection settings of any Redis URL, of its first host where it names several.

    Raises ``SettingError`` for a URL that redis-py cannot read; the text never quotes the URL,
    because what cannot be parsed may be a password.
    """
    parts = urlsplit(url)
    scheme = "rediss" if parts.scheme.startswith("rediss") else "redis"
    credentials, at, host = parts.netloc.rpartition("@")
    netloc = credentials + at + host.split(",")[0]
    try:
        settings: Settings = dict(parse_url(urlunsplit((scheme, netloc, parts.path, parts.query, ""))))
    except ValueError:
        raise SettingError(
            f"not a {parts.scheme}:// URL: write {parts.scheme}://user:password@host:port/db, "
            "with %-escapes for special characters in the password"
        ) from None
    for option in POOL_ONLY:
        settings.pop(option, None)
    # Time limits are the broker's own; a limit per read would end an idle subscription. RESP2 gives
    # messages as plain lists. A health check would put PINGs between our commands.
    return settings | {
        "socket_timeout": None,
        "protocol": 2,
        "decode_responses": False,
        "health_check_interval": 0,
    }


def read_hosts(url: str, default_port: int) -> list[Address]:
    """Give the hosts of a URL that may name several: ``scheme://user:password@a:1,b:2/path``."""
    _, _, hosts = urlsplit(url).netloc.rpartition("@")
    try:
        parts = [urlsplit(f"//{host}") for host in hosts.split(",")]
        return [(part.hostname or "localhost", part.port or default_port) for part in parts]
    except ValueError:
        raise SettingError(f"the hosts of a {urlsplit(url).scheme}:// URL look like a:1,b:2") from None
