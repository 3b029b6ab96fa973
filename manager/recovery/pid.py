"""The pid: the private id of a session, by which its client claims it. It is the sid and a secret behind it.

A sid is public. The bus gets only a digest of the pid, so that nobody who reads it there can claim a session.
"""

from __future__ import annotations

from hashlib import blake2b
from secrets import token_urlsafe
from typing import Final

from socketio_cluster.manager.ids import SID_CHARS

SECRET_BYTES: Final = 15
_CHARS: Final = SID_CHARS + SECRET_BYTES * 4 // 3


def new_pid(sid: str) -> str:
    """Make the pid of a new session."""
    return sid + token_urlsafe(SECRET_BYTES)


def sid_in(pid: object) -> str | None:
    """Return the sid in a pid that a client has sent, or None for anything that does not have its form."""
    if isinstance(pid, str) and len(pid) == _CHARS and pid.isascii():
        return pid[:SID_CHARS]
    return None


def digest(pid: str) -> str:
    """Return what the bus may know of a pid."""
    return blake2b(pid.encode(), digest_size=16).hexdigest()


def new_claim() -> str:
    """Make a text that tells one owner of a session from the next one."""
    return token_urlsafe(9)
