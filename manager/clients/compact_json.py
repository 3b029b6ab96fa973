"""JSON of Socket.IO packets: compact, and never what only Python takes for JSON.

Python writes and reads ``NaN``, ``Infinity`` and ``-Infinity``, which JSON does not have: a JavaScript
client that gets one disconnects. Here they are written as null, as JavaScript does, and refused when they
come in. The text is that of ``json.dumps(value, separators=(",", ":"))`` otherwise; but ``json.dumps``
makes a new encoder for every call, which costs as much as the encoding of a small event.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from json import encoder
from typing import Any, Final, NoReturn

import engineio.json

_SEPARATORS: Final = (",", ":")
_standard: Final = json.JSONEncoder(separators=_SEPARATORS, allow_nan=False)


def _compact() -> Callable[[Any], str]:
    make = encoder.c_make_encoder  # type: ignore[attr-defined]
    if make is None:  # an interpreter without the C accelerator
        return _standard.encode
    quote = encoder.encode_basestring_ascii
    chunks = make(None, _standard.default, quote, None, ":", ",", False, False, False)
    return lambda value: "".join(chunks(value, 0))


dumps: Final = _compact()
"""Encode a value; raises ``TypeError`` for what JSON does not have, ``ValueError`` for numbers that are not
finite, ``RecursionError`` for a circle."""


def refuse_constant(name: str) -> NoReturn:
    """Raise ``ValueError`` for NaN or an infinity; what ``json.loads`` takes as ``parse_constant``."""
    raise ValueError(f"{name} is no JSON")


def without_constants(text: str) -> str:
    """Give JSON text with null in the place of NaN and the infinities."""
    if not _may_hold_constants(text):
        return text
    return json.dumps(json.loads(text, parse_constant=lambda name: None), separators=_SEPARATORS)


def _may_hold_constants(text: str) -> bool:
    return "NaN" in text or "Infinity" in text


class PacketJson:
    """Stands in for ``engineio.json``, with all that a packet uses of it."""

    loads = staticmethod(partial(engineio.json.loads, parse_constant=refuse_constant))

    @staticmethod
    def dumps(value: Any, separators: tuple[str, str] = _SEPARATORS) -> str:
        """Encode a value; raises ``TypeError`` for what JSON does not have, ``ValueError`` for a circle."""
        try:
            return dumps(value)
        except (RecursionError, ValueError):  # the standard encoder, slower, looks for circles
            return without_constants(json.dumps(value, separators=separators))


class CustomJson:
    """The application's own ``json`` module, kept to JSON in both directions."""

    def __init__(self, module: Any) -> None:
        self._module = module

    def loads(self, text: str) -> Any:
        """Decode a text; raises what the module raises, and ``ValueError`` for what only Python reads."""
        if _may_hold_constants(text):
            json.loads(text, parse_constant=refuse_constant)
        return self._module.loads(text)

    def dumps(self, value: Any, **options: Any) -> str:
        """Encode a value; raises what the module raises."""
        return without_constants(self._module.dumps(value, **options))


def packet_json(module: Any) -> Any:
    """What packets take as their ``json`` in the place of this module."""
    return PacketJson if module is engineio.json else CustomJson(module)
