"""Keys and metas: what an application says about somebody who is present."""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec

META_BYTES: Final = 16 * 1024
"""The most bytes of a meta. It goes to everybody in the room."""
KEY_BYTES: Final = 1024
REF: Final = "phx_ref"
"""The field that tells metas of one key apart. It has the name that Phoenix gives it."""

Meta = dict[str, Any]


def check_key(key: object) -> str:
    """Return a key as text; an int is taken by its digits.

    Raises ``TypeError`` for anything else, and ``ValueError`` for a text that is empty, too long or that
    UTF-8 cannot hold.
    """
    if isinstance(key, bool) or not isinstance(key, str | int):
        raise TypeError(f"a presence key is a text or an int, not {type(key).__name__}: {key!r:.80}")
    text = str(key)
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise ValueError(f"a presence key must be text that UTF-8 can hold, not {text!r:.80}") from None
    if not 1 <= size <= KEY_BYTES:
        raise ValueError(f"a presence key has 1 to {KEY_BYTES} bytes, not {size}")
    return text


def pack_meta(meta: object) -> bytes:
    """Return a meta as JSON.

    Raises ``TypeError`` for what is no dict or what JSON cannot hold, such as bytes, and ``ValueError`` for
    one that is too large, has NaN in it, or has the field that is reserved.
    """
    if not isinstance(meta, dict):
        raise TypeError(f"a presence meta is a dict, not {type(meta).__name__}: {meta!r:.80}")
    if REF in meta:
        raise ValueError(f"{REF!r} is reserved: give this field of the meta another name")
    try:
        raw = json.dumps(meta, separators=(",", ":"), allow_nan=False).encode()
        unpack_meta(raw)
    except TypeError as exc:
        raise TypeError(f"JSON cannot hold this presence meta: {exc}") from None
    except (ValueError, RecursionError) as exc:
        raise ValueError(f"JSON cannot hold this presence meta: {exc}") from None
    if len(raw) > META_BYTES:
        raise ValueError(f"a presence meta has at most {META_BYTES} bytes of JSON, not {len(raw)}")
    return raw


def unpack_meta(raw: bytes) -> Meta:
    """Return the dict that was packed. Raises ``ValueError`` for what is none."""
    return msgspec.json.decode(raw, type=dict[str, Any])
