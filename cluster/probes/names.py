"""The names by which the probe port answers.

A browser sends the name that led it here. An attacker can let the name of a page point at this address, and
the page could then read the metrics as its own (DNS rebinding). So only names are answered that no stranger
can own.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection
from typing import Final

ANY: Final = "*"
_OURS: Final = (".localhost", ".local", ".internal", ".svc")
"""Endings that public DNS does not have: by RFC 6761, RFC 6762, ICANN's decision of 2024, and Kubernetes."""


def may_ask(host: str, names: Collection[str] = ()) -> bool:
    """Return whether a request with this Host header is answered.

    Args:
        host: the header, with a port or without; empty when there is none.
        names: more names that are answered, in lower case; ``*`` stands for every name.
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
