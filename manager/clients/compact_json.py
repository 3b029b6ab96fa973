"""The same JSON text as ``json.dumps(value, separators=(",", ":"))``, with the encoder made once.

``json.dumps`` with separators makes a new encoder for every call, which costs as much as the encoding of
a small event. ``PacketJson`` is what packets take as their ``json``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from json import encoder
from typing import Any, Final

import engineio.json

_standard: Final = json.JSONEncoder(separators=(",", ":"))


def _compact() -> Callable[[Any], str]:
    make = encoder.c_make_encoder  # type: ignore[attr-defined]
    if make is None:  # an interpreter without the C accelerator
        return _standard.encode
    quote = encoder.encode_basestring_ascii
    chunks = make(None, _standard.default, quote, None, ":", ",", False, False, True)
    return lambda value: "".join(chunks(value, 0))


dumps: Final = _compact()
"""Encode a value; raises ``TypeError`` for what JSON does not have, ``RecursionError`` for a circle."""


class PacketJson:
    """Stands in for ``engineio.json``, with all that a packet uses of it."""

    loads = staticmethod(engineio.json.loads)

    @staticmethod
    def dumps(value: Any, separators: tuple[str, str] = (",", ":")) -> str:
        """Encode a value; raises ``TypeError`` for what JSON does not have, ``ValueError`` for a circle."""
        try:
            return dumps(value)
        except RecursionError:  # the standard encoder, slower, looks for circles
            return json.dumps(value, separators=separators)
