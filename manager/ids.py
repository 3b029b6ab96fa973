"""Ids of nodes and of sessions: a sid names the node that serves it.

A node's id is 8 characters, a sid is that id and 12 random ones: 20 characters of base64url, the form
every Engine.IO server gives, so balancers that look for a sid in a URL go on working. 72 random bits
cannot be guessed over a network; 48 bits keep node ids apart.
"""

from __future__ import annotations

from secrets import token_urlsafe
from typing import Final

NODE_CHARS: Final = 8
SID_CHARS: Final = 20


def new_node_id() -> str:
    """Make a node id: 8 characters, fresh at each start of a process."""
    return token_urlsafe(6)


def new_sid(node: str) -> str:
    """Make a session id that names ``node``."""
    return node + token_urlsafe(9)


def node_of(room: object) -> str | None:
    """Name the node in a sid; None for anything that does not have a sid's form."""
    if isinstance(room, str) and len(room) == SID_CHARS:
        return room[:NODE_CHARS]
    return None
