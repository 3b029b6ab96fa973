"""The functions that turn an option's text into a value; each raises ValueError with a text for the user."""

from __future__ import annotations

import math

LEVELS = ("debug", "info", "warning", "error")
SERIALIZERS = ("default", "msgpack")
TRUE, FALSE = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")
CERT_REQS = ("none", "optional", "required")
"""Python's ``ssl.VerifyMode``, by its numbers."""


def port(text: str) -> int:
    """Read a port number; 0 stands for any free one."""
    if not text.isdecimal() or int(text) > 65535:
        raise ValueError(f"{text!r} is not a port: use a number from 0 to 65535")
    return int(text)


def count(text: str) -> int:
    """Read a number of workers."""
    if not text.isdecimal() or not 1 <= int(text) <= 1024:
        raise ValueError(f"{text!r} is not a number of workers: use 1 to 1024")
    return int(text)


def seconds(text: str) -> float:
    """Read a duration in seconds."""
    return _between(0.1, 86400, text, "a duration: use seconds from 0.1 to 86400")


def pause(text: str) -> float:
    """Read a duration in seconds that may be 0."""
    try:
        return 0.0 if text in ("0", "0.0") else seconds(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a duration: use 0, or seconds from 0.1 to 86400") from None


def number(text: str) -> int:
    """Read a limit: a whole number above 0."""
    if not text.isdecimal() or not 1 <= int(text) <= 2**31:
        raise ValueError(f"{text!r} is not a limit: use a whole number from 1 to {2**31}")
    return int(text)


def rate(text: str) -> float:
    """Read a rate: a number in a second, above 0."""
    return _between(0.001, 1_000_000, text, "a rate: use a number a second from 0.001 to 1000000")


def _between(least: float, most: float, text: str, wanted: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise ValueError(f"{text!r} is not {wanted}")
    return value


def root_path(text: str) -> str:
    """Read the path in front of an application; an empty one, and "/", are the same as none."""
    if text.strip("/") and not text.startswith("/"):
        raise ValueError(f"{text!r} is not a path: it begins with a slash, as /api")
    return text.rstrip("/")


def texts(text: str) -> tuple[str, ...]:
    """Read texts with commas between; spaces around them do not count."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def names(text: str) -> tuple[str, ...]:
    """Read names with commas between; return them in lower case."""
    return tuple(name.lower() for name in texts(text))


def level(text: str) -> str:
    """Read a log level."""
    if text.lower() not in LEVELS:
        raise ValueError(f"{text!r} is not a log level: use one of {', '.join(LEVELS)}")
    return text.lower()


def serializer(text: str) -> str:
    """Read the name of a serializer."""
    if text not in SERIALIZERS:
        raise ValueError(f"{text!r} is not a serializer: use one of {', '.join(SERIALIZERS)}")
    return text


def switch(text: str) -> bool:
    """Read yes or no."""
    if text.lower() not in TRUE + FALSE:
        raise ValueError(f"{text!r} is neither yes nor no")
    return text.lower() in TRUE


def descriptor(text: str) -> int:
    """Read the number of an open file."""
    if not text.isdecimal() or int(text) > 1_000_000:
        raise ValueError(f"{text!r} is not a file descriptor: use the number of an open socket, such as 3")
    return int(text)


def cert_reqs(text: str) -> int:
    """Read whether clients need a certificate: a number of ``ssl.VerifyMode``, or its name."""
    name = text.lower().removeprefix("cert_")
    if name.isdecimal() and int(name) < len(CERT_REQS):
        return int(name)
    if name not in CERT_REQS:
        raise ValueError(f"{text!r} is not one of 0 (none), 1 (optional), 2 (required)")
    return CERT_REQS.index(name)
