"""The NATS subjects of channels. A subject has no spaces, and ``.``, ``*`` and ``>`` have a meaning in it."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b
from typing import Final

LONGEST: Final = 512
"""The most characters of a room in a subject.

The server ends the connection at a line of more than 4096 bytes (``max_control_line``), and advises to keep
subjects far shorter.
"""

ODD: Final = re.compile(r"[^A-Za-z0-9_~/,:;=@+-]")
"""Characters that are written as ``%`` and the hexadecimal numbers of their bytes."""


def root(channel: str) -> str:
    """Return the first token of a channel's subject, which stands for the prefix of the cluster."""
    return _token(_parts(channel)[0])


@lru_cache(maxsize=4096)
def subject(channel: str) -> str:
    """Return the subject of a channel, such as ``socketio.room./,snews`` for ``{socketio}:room:/,snews``.

    It has two or three tokens: the prefix, the kind of channel, and the node or the room. A room with a very
    long name has the hash of it.
    """
    return ".".join(_token(part) for part in _parts(channel) if part)


def _parts(channel: str) -> tuple[str, str, str]:
    prefix, _, rest = channel.removeprefix("{").partition("}:")
    kind, _, name = rest.partition(":")
    return prefix, kind, name


def _token(text: str) -> str:
    token = ODD.sub(_escaped, text)
    if len(token) > LONGEST:
        return "%%" + blake2b(text.encode(), digest_size=24).hexdigest()
    return token


def _escaped(odd: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in odd[0].encode())
