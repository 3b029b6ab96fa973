"""The bytes of Node.js's adapters: JSON, or MessagePack where a message may hold binary data."""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec

from socketio_cluster.manager.bridge.dialect import BridgeError

_BRACE: Final = b"{"
"""The first byte of their JSON, by which they tell it from MessagePack."""


def read_payload(payload: bytes) -> Any:
    """Return the value in a message, of dicts, lists, texts, numbers and bytes. Raises ``BridgeError``.

    A date becomes a text in ISO 8601, as clients get it from Node.js.
    """
    try:
        if payload[:1] == _BRACE:
            return json.loads(payload)
        return msgspec.to_builtins(msgspec.msgpack.decode(payload), builtin_types=(bytes,))
    except (msgspec.DecodeError, msgspec.EncodeError, TypeError, ValueError, RecursionError) as exc:
        raise BridgeError("malformed", f"no message of an adapter: {exc}") from None


def read_object(payload: bytes) -> dict[str, Any]:
    """Return the dict in a message. Raises ``BridgeError``."""
    value = read_payload(payload)
    if not isinstance(value, dict):
        raise BridgeError("malformed", f"a {type(value).__name__}, where an adapter writes an object")
    return value


def pack(value: Any) -> bytes:
    """Return a value as MessagePack. Raises ``BridgeError``."""
    try:
        return msgspec.msgpack.encode(value)
    except (msgspec.EncodeError, TypeError, ValueError, OverflowError, RecursionError) as exc:
        raise BridgeError("msgpack", f"MessagePack does not hold the data: {exc}") from None


def write_json(value: Any) -> bytes:
    """Return a value as JSON. Raises ``BridgeError``."""
    try:
        return json.dumps(value).encode()
    except (TypeError, ValueError, RecursionError) as exc:
        raise BridgeError("json", f"JSON does not hold the data: {exc}") from None
