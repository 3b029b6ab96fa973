"""Binary values of an event in JSON: each is replaced by its number, and stands beside the event in base64.

This is how python-socketio from 5.14.2 on writes them on its bus.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any


def take_out(value: Any) -> tuple[Any, list[str]]:
    """Return a copy of a value without bytes, and the bytes in base64, in the order of their numbers."""
    taken: list[str] = []

    def copy(part: Any) -> Any:
        if isinstance(part, bytes | bytearray | memoryview):
            taken.append(b64encode(part).decode())
            return {"_placeholder": True, "num": len(taken) - 1}
        if isinstance(part, dict):
            return {key: copy(item) for key, item in part.items()}
        if isinstance(part, list | tuple):
            return [copy(item) for item in part]
        return part

    return copy(value), taken


def put_back(value: Any, taken: list[str]) -> Any:
    """Return a copy of a value with its bytes. Raises ``ValueError`` when one is missing or no base64."""
    binary = [b64decode(each, validate=True) for each in taken]

    def copy(part: Any) -> Any:
        if isinstance(part, dict):
            number = part.get("num")
            if part.get("_placeholder") and isinstance(number, int):
                if not 0 <= number < len(binary):
                    raise ValueError(f"there is no attachment {number}")
                return binary[number]
            return {key: copy(item) for key, item in part.items()}
        return [copy(item) for item in part] if isinstance(part, list) else part

    return copy(value)
