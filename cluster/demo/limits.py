"""The checks of the demo for texts from a browser, and the messages by which it refuses them."""

from __future__ import annotations

from typing import Any

LONGEST_NAME, LONGEST_ROOM, LONGEST_TEXT = 24, 24, 500


class Refused(Exception):
    """A text is refused. The message is shown to its sender."""


def clean_name(name: Any) -> str:
    """Return a person's name of 1 to 24 characters; raise ``Refused`` for another value."""
    return _clean(name, "a name", LONGEST_NAME)


def clean_room(room: Any) -> str:
    """Return a room's name of 1 to 24 characters in lower case; raise ``Refused`` for another value."""
    return _clean(room, "a room", LONGEST_ROOM).lower()


def clean_text(text: Any) -> str:
    """Return a message of 1 to 500 characters; raise ``Refused`` for another value."""
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
