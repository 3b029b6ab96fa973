"""Ids of nodes and of sessions. A sid names the node that serves the session.

A node's id has 8 characters, and a sid is that id with 12 random characters behind it: 20 characters of
base64url. Every Engine.IO server gives sids of this form, so balancers that look for a sid in a URL go on
working. The 72 random bits of a sid cannot be guessed over a network. 48 random bits keep node ids apart.
"""

from __future__ import annotations

from binascii import b2a_base64
from secrets import token_bytes
from typing import Final

_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")

NODE_CHARS: Final = 8
SID_CHARS: Final = 20


def new_node_id() -> str:
    """Make a node id of 8 characters. A process makes a new one at each start."""
    return _characters(6)


def new_sid(node: str) -> str:
    """Make a session id that names ``node``."""
    return node + _characters(9)


def _characters(count: int) -> str:
    """Return random bytes as base64url, faster than ``token_urlsafe``.

    ``count`` must be a multiple of three.
    """
    return b2a_base64(token_bytes(count), newline=False).translate(_URL_SAFE).decode()


def node_of(room: object) -> str | None:
    """Return the id of the node that a sid names, or None for anything that does not have a sid's form."""
    if isinstance(room, str) and len(room) == SID_CHARS:
        return room[:NODE_CHARS]
    return None
