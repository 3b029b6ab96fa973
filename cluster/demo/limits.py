"""What the demo takes from a browser, and the words with which it refuses the rest."""

from __future__ import annotations

from typing import Any

LONGEST_NAME, LONGEST_ROOM, LONGEST_TEXT = 24, 24, 500


class Refused(Exception):
    """The text is shown to whoever sent it."""


def clean_name(name: Any) -> str:
    """A person's name, 1 to 24 characters."""
    return _clean(name, "a name", LONGEST_NAME)


def clean_room(room: Any) -> str:
    """A room's name, 1 to 24 characters in lower case."""
    return _clean(room, "a room", LONGEST_ROOM).lower()


def clean_text(text: Any) -> str:
    """A message, 1 to 500 characters."""
    return _clean(text, "a message", LONGEST_TEXT)


def _clean(value: Any, what: str, longest: int) -> str:
    if not isinstance(value, str):
        raise Refused(f"{what} must be text")
    text = " ".join(value.split())
    if not text:
        raise Refused(f"{what} cannot be empty")
    if len(text) > longest:
        raise Refused(f"{what} has at most {longest} characters, this one {len(text)}")
    return text
