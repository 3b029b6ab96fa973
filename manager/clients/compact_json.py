"""Compact JSON for Socket.IO packets, without ``NaN`` and infinities.

Python writes and reads ``NaN``, ``Infinity`` and ``-Infinity``, which JSON does not have. A JavaScript client
that receives one disconnects. This module writes null instead, as JavaScript does, and refuses them on input.
Apart from that the text is the same as that of ``json.dumps(value, separators=(",", ":"))``. But
``json.dumps`` makes a new encoder for every call, which costs as much as encoding a small event.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from json import encoder
from typing import Any, Final, NoReturn

import engineio.json
import msgspec

_SEPARATORS: Final = (",", ":")
quote: Final = encoder.encode_basestring_ascii
"""Encode a string. This takes half of the time of ``dumps``."""
_encode: Final = msgspec.json.Encoder().encode


def quoted(text: str) -> bytes:
    """Encode a string to bytes.

    msgspec takes a third of the time. It writes ASCII in the same way, but for the character DEL.
    """
    return _encode(text) if text.isascii() and "\x7f" not in text else quote(text).encode()


def quoted_pair(first: str, second: str) -> bytes:
    """Encode a list of two strings to bytes, as ``quoted`` does."""
    both = first + second
    if both.isascii() and "\x7f" not in both:
        return _encode([first, second])
    return b"[%b,%b]" % (quoted(first), quoted(second))


_standard: Final = json.JSONEncoder(separators=_SEPARATORS, allow_nan=False)


def _compact() -> Callable[[Any], str]:
    make = encoder.c_make_encoder  # type: ignore[attr-defined]
    if make is None:  # an interpreter without the C accelerator
        return _standard.encode
    chunks = make(None, _standard.default, quote, None, ":", ",", False, False, False)
    return lambda value: "".join(chunks(value, 0))


dumps: Final = _compact()
"""Encode a value.

Raises ``TypeError`` for a value that JSON does not have, ``ValueError`` for a number that is not finite, and
``RecursionError`` for a value that contains itself.
"""


def refuse_constant(name: str) -> NoReturn:
    """Raise ``ValueError``. For ``json.loads``, which calls its ``parse_constant`` for NaN and infinities."""
    raise ValueError(f"{name} is no JSON")


def without_constants(text: str) -> str:
    """Return the JSON text with null in place of NaN and infinities."""
    if not _may_hold_constants(text):
        return text
    return json.dumps(json.loads(text, parse_constant=lambda name: None), separators=_SEPARATORS)


def _may_hold_constants(text: str) -> bool:
    return "NaN" in text or "Infinity" in text


class PacketJson:
    """A replacement for ``engineio.json``, with the functions that a packet uses."""

    loads = staticmethod(partial(engineio.json.loads, parse_constant=refuse_constant))

    @staticmethod
    def dumps(value: Any, separators: tuple[str, str] = _SEPARATORS) -> str:
        """Encode a value.

        Raises ``TypeError`` for a value that JSON does not have, and ``ValueError`` for one that contains
        itself.
        """
        try:
            return dumps(value)
        except (RecursionError, ValueError):  # The standard encoder is slower, but it detects circles.
            return without_constants(json.dumps(value, separators=separators))


class CustomJson:
    """Wraps the application's own ``json`` module, and keeps NaN and infinities out in both directions."""

    def __init__(self, module: Any) -> None:
        self._module = module

    def loads(self, text: str) -> Any:
        """Decode a text. Raises what the module raises, and ``ValueError`` for NaN and infinities."""
        if _may_hold_constants(text):
            json.loads(text, parse_constant=refuse_constant)
        return self._module.loads(text)

    def dumps(self, value: Any, **options: Any) -> str:
        """Encode a value. Raises what the module raises."""
        return without_constants(self._module.dumps(value, **options))


def packet_json(module: Any) -> Any:
    """Return the object that packets use as ``json`` instead of this module."""
    return PacketJson if module is engineio.json else CustomJson(module)
