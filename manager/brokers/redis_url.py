"""Reads Redis URLs: hosts, credentials and connection options."""

from __future__ import annotations

from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

from redis.asyncio.connection import parse_url

from socketio_cluster.manager.bus.servers_url import split_url
from socketio_cluster.manager.errors import SettingError

Settings = dict[str, Any]
"""Keyword arguments of a ``redis.asyncio`` connection."""

Address = tuple[str, int]

POOL_ONLY = ("max_connections", "timeout")
"""Options of redis-py's pools, which people copy from other URLs. They are ignored, as no pool is used."""

CHECKS = ("none", "optional", "required")
"""The values of ``ssl_cert_reqs``. ``CERT_NONE`` and the like, which other libraries want, are the same."""

SOCKET = "unix:///run/redis/redis.sock?db=0"


def read_settings(url: str) -> Settings:
    """Return the connection settings of a Redis URL. If it names several hosts, the first one is used.

    Raises ``SettingError`` for a URL that redis-py cannot read. The text never quotes the URL, because the
    part that cannot be parsed may be a password.
    """
    parts = split_url(url)
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
    # The broker has its own time limits: a limit for each read would end an idle subscription. RESP2 gives
    # messages as plain lists. A health check would put PINGs between the broker's commands.
    return settings | {
        "socket_timeout": None,
        "protocol": 2,
        "decode_responses": False,
        "health_check_interval": 0,
    }


def _plain(parts: SplitResult) -> str:
    """Return a URL with one host, or with a socket, that redis-py reads. Raises ``ValueError``."""
    credentials, at, host = parts.netloc.rpartition("@")
    if parts.scheme != "unix":
        scheme = "rediss" if parts.scheme.startswith("rediss") else "redis"
        return urlunsplit((scheme, credentials + at + host.split(",")[0], parts.path, parts.query, ""))
    if host or not parts.path:
        raise ValueError  # redis-py would take unix://run/redis.sock for /redis.sock.
    return parts.geturl()


def _check(words: str) -> Settings:
    """Return redis-py's options for ``ssl_cert_reqs``.

    With ``none`` the server's name is not checked either.
    """
    check = words.lower().removeprefix("ssl.").removeprefix("cert_")
    if check not in CHECKS:
        raise SettingError(f"ssl_cert_reqs in a Redis URL must be one of {', '.join(CHECKS)}, not {words!r}")
    return {"ssl_cert_reqs": check} | ({"ssl_check_hostname": False} if check == "none" else {})


def read_hosts(url: str, default_port: int) -> list[Address]:
    """Return the hosts of a URL that may name several: ``scheme://user:password@a:1,b:2/path``.

    Raises ``SettingError``.
    """
    parts = split_url(url)
    _, _, hosts = parts.netloc.rpartition("@")
    try:
        places = [urlsplit(f"//{host}") for host in hosts.split(",")]
        return [(part.hostname or "localhost", part.port or default_port) for part in places]
    except ValueError:
        raise SettingError(f"the hosts of a {parts.scheme}:// URL look like a:1,b:2") from None
