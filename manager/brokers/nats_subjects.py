"""The NATS subjects of channels. A subject has no spaces, and ``.``, ``*`` and ``>`` have a meaning in it."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Final
from urllib.parse import quote

LONGEST: Final = 512
"""The most characters of a room in a subject.

The server ends the connection at a line of more than 4096 bytes (``max_control_line``), and advises to keep
subjects far shorter.
"""

HARMLESS: Final = "/,:;=@+"
"""Characters that stay as they are, besides letters, digits, ``_``, ``-`` and ``~``."""


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
    token = quote(text, safe=HARMLESS).replace(".", "%2E")
    if len(token) > LONGEST:
        return "%%" + blake2b(text.encode(), digest_size=24).hexdigest()
    return token
