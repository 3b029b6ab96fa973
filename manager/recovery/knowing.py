"""Which clients know recovery, and so may get one more argument with each event.

A handler of another client may fail on an argument that it does not expect. No client says what it is, so it
is known by its headers. The query parameter ``recovery`` decides where it is given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qs

JAVASCRIPT: Final = re.compile(r"Mozilla/|node|Node\.js|undici|Bun/|Deno/|jsdom")
"""Begins of the user agents with which the official JavaScript client comes: browsers, and their like."""


def knows_recovery(environ: Mapping[str, Any]) -> bool:
    """Whether the client of a connection knows recovery, as far as its first request tells.

    In Node.js a WebSocket of the official client has no user agent and no origin, but offers compression. The
    WebSockets of other libraries without a user agent name an origin, or offer nothing.
    """
    wish = wishes_recovery(environ)
    if wish is not None:
        return wish
    agent = environ.get("HTTP_USER_AGENT")
    if agent:
        return JAVASCRIPT.match(agent) is not None
    return "HTTP_ORIGIN" not in environ and "HTTP_SEC_WEBSOCKET_EXTENSIONS" in environ


def wishes_recovery(environ: Mapping[str, Any]) -> bool | None:
    """What the query parameter ``recovery`` of a request says, or None without it."""
    return _wish_in(environ.get("QUERY_STRING", ""))


@lru_cache(64)
def _wish_in(query: str) -> bool | None:
    """Read a query. WebSockets of one kind of client all have the same, unlike polls, which have a sid."""
    wish = parse_qs(query).get("recovery")
    return wish[-1] in ("1", "true") if wish else None
