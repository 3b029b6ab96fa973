"""What a Redis URL says: hosts, credentials and connection options."""

from __future__ import annotations

from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

from redis.asyncio.connection import parse_url

from socketio_cluster.manager.errors import SettingError

Settings = dict[str, Any]
"""Keyword arguments of a ``redis.asyncio`` connection."""

Address = tuple[str, int]

POOL_ONLY = ("max_connections", "timeout")
"""Options of redis-py's pools that people carry over from other URLs; we use no pool."""

CHECKS = ("none", "optional", "required")
"""What ``ssl_cert_reqs`` may be; ``CERT_NONE`` and so on, which other libraries ask for, are the same."""

SOCKET = "unix:///run/redis/redis.sock?db=0"


def read_settings(url: str) -> Settings:
    """Give the connection settings of any Redis URL, of its first host where it names several.

    Raises ``SettingError`` for a URL that redis-py cannot read; the text never quotes the URL,
    because what cannot be parsed may be a password.
    """
    parts = urlsplit(url)
    try:
        settings: Settings = dict(parse_url(_plain(parts)))
    except ValueError:
        form = SOCKET if parts.scheme == "unix" else f"{parts.scheme}://user:password@host:port/db"
        raise SettingError(
            f"not a {parts.scheme}:// URL: write {form}, with %-escapes for special characters in a password"
        ) from None
    for option in POOL_ONLY:
        settings.pop(option, None)
    if "ssl_cert_reqs" in settings:
        settings |= _check(str(settings["ssl_cert_reqs"]))
    # Time limits are the broker's own; a limit per read would end an idle subscription. RESP2 gives
    # messages as plain lists. A health check would put PINGs between our commands.
    return settings | {
        "socket_timeout": None,
        "protocol": 2,
        "decode_responses": False,
        "health_check_interval": 0,
    }


def _plain(parts: SplitResult) -> str:
    """Give a URL of one host, or a socket, that redis-py reads; raises ``ValueError`` for a socket's host."""
    credentials, at, host = parts.netloc.rpartition("@")
    if parts.scheme != "unix":
        scheme = "rediss" if parts.scheme.startswith("rediss") else "redis"
        return urlunsplit((scheme, credentials + at + host.split(",")[0], parts.path, parts.query, ""))
    if host or not parts.path:
        raise ValueError  # unix://run/redis.sock would be taken for /redis.sock
    return parts.geturl()


def _check(words: str) -> Settings:
    """Give redis-py's options for ``ssl_cert_reqs``; without a certificate there is no name to check."""
    check = words.lower().removeprefix("ssl.").removeprefix("cert_")
    if check not in CHECKS:
        raise SettingError(f"ssl_cert_reqs in a Redis URL must be one of {', '.join(CHECKS)}, not {words!r}")
    return {"ssl_cert_reqs": check} | ({"ssl_check_hostname": False} if check == "none" else {})


def read_hosts(url: str, default_port: int) -> list[Address]:
    """Give the hosts of a URL that may name several: ``scheme://user:password@a:1,b:2/path``."""
    _, _, hosts = urlsplit(url).netloc.rpartition("@")
    try:
        parts = [urlsplit(f"//{host}") for host in hosts.split(",")]
        return [(part.hostname or "localhost", part.port or default_port) for part in parts]
    except ValueError:
        raise SettingError(f"the hosts of a {urlsplit(url).scheme}:// URL look like a:1,b:2") from None
