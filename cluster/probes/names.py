"""The names under which the probe port may be asked.

A browser sends whatever name led it here. A page whose name is made to point at this address could read the
metrics as if they were its own (DNS rebinding), so only names are answered that no stranger can own.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection
from typing import Final

ANY: Final = "*"
_OURS: Final = (".localhost", ".local", ".internal", ".svc")
"""Endings that public DNS never has: RFC 6761, RFC 6762, what ICANN reserved in 2024, Kubernetes' own."""


def may_ask(host: str, names: Collection[str] = ()) -> bool:
    """Whether a request with this Host header is answered.

    Args:
        host: the header, with a port or without; empty when there is none.
        names: more names that are answered, in lower case; with ``*`` among them every name is.
    """
    name = _without_port(host).rstrip(".").lower()
    return (
        "." not in name
        or name.endswith(_OURS)
        or _is_address(name)
        or ANY in names
        or name in names
        or name == socket.gethostname().lower()
    )


def _without_port(host: str) -> str:
    name, _, port = host.rpartition(":")
    return name if name and (port.isdecimal() or not port) and not name.endswith(":") else host


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
