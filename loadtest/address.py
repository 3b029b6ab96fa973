"""An address: where and how a client connects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

RECOVERY_QUERY = "&recovery=1"
"""Asks for recovery: a server cannot tell by our headers that we know it."""


@dataclass(frozen=True)
class Address:
    """What is the same for all connections of a user; the URL is http:// or https://, also for WebSockets."""

    url: str
    transport: str = "websocket"
    path: str = "socket.io"
    namespaces: tuple[str, ...] = ("/",)
    auth: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 10.0
    """Seconds for the whole of connecting."""
    recovers: bool = False
    """Whether the server is asked for recovery."""

    @property
    def query(self) -> str:
        """What stands behind the question mark of a URL."""
        return f"EIO=4&transport={self.transport}{RECOVERY_QUERY if self.recovers else ''}"


def address_of(url: str, transport: str, options: Any, *, recovers: bool = False) -> Address:
    """The address that the options of the command line describe."""
    return Address(
        url=url,
        transport=transport,
        path=options.path,
        namespaces=(options.namespace,),
        auth=options.auth,
        headers=options.headers or {},
        timeout=options.timeout,
        recovers=recovers,
    )


def hosts_of(text: str | None) -> list[str]:
    """The hosts of Locust's one `host`, where commas separate them."""
    return [host.strip() for host in (text or "").split(",") if host.strip()]
