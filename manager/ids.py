"""Ids of nodes and of sessions: a sid names the node that serves it.

A node's id is 8 characters, a sid is that id and 12 random ones: 20 characters of base64url, the form
every Engine.IO server gives, so balancers that look for a sid in a URL go on working. 72 random bits
cannot be guessed over a network; 48 bits keep node ids apart.
"""

from __future__ import annotations

from binascii import b2a_base64
from secrets import token_bytes
from typing import Final

_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")

NODE_CHARS: Final = 8
SID_CHARS: Final = 20


def new_node_id() -> str:
    """Make a node id: 8 characters, fresh at each start of a process."""
    return _characters(6)


def new_sid(node: str) -> str:
    """Make a session id that names ``node``."""
    return node + _characters(9)


def _characters(count: int) -> str:
    """So many random bytes, a multiple of three, as base64url: ``token_urlsafe`` with less on the way."""
    return b2a_base64(token_bytes(count), newline=False).translate(_URL_SAFE).decode()


def node_of(room: object) -> str | None:
    """Name the node in a sid; None for anything that does not have a sid's form."""
    if isinstance(room, str) and len(room) == SID_CHARS:
        return room[:NODE_CHARS]
    return None
