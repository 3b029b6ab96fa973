"""Events and acks in the JSON format, read and answered without python-socketio's ``Packet``.

The bytes are the same as those of ``Packet`` (a test compares them). This file handles the packets of nearly
all traffic: without attachments, with the standard ``json``. For any other packet ``read`` returns None, and
python-socketio's own code handles it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import msgspec
from socketio import packet as sio

from socketio_cluster.cluster.lane.frames import TEXT, frame
from socketio_cluster.cluster.server import AsyncServer
from socketio_cluster.manager.clients.compact_json import dumps, quoted, refuse_constant
from socketio_cluster.manager.clients.packets import RESERVED
from socketio_cluster.manager.host.server import Host

LONGEST_INTEGER: Final = 100
"""Digits of an integer, at most, as in python-engineio: the time to read it grows with their square."""


def _integer(digits: str) -> int:
    if len(digits) > LONGEST_INTEGER:
        raise ValueError("an integer with too many digits")
    return int(digits)


def _scanner(**options: Any) -> Callable[[str, int], tuple[Any, int]]:
    return json.JSONDecoder(parse_constant=refuse_constant, **options).scan_once  # type: ignore[attr-defined,no-any-return]


_scan: Final = _scanner(parse_int=_integer)
decode: Final = msgspec.json.Decoder().decode
"""Read JSON. Raises ``ValueError`` for what msgspec refuses, and ``RecursionError``."""
_DIGITS: Final = frozenset("0123456789")
_DIGIT_BYTES: Final = frozenset(b"0123456789")


class Event(msgspec.Struct, eq=False):
    """An EVENT. ``data`` are the values behind the name."""

    name: str
    namespace: str
    ack_id: int | None
    data: list[Any]


class Ack(msgspec.Struct, eq=False):
    """An ACK, the answer to an event of the server."""

    namespace: str
    ack_id: int | None
    data: list[Any]


def read(text: str) -> Event | Ack | None:
    """Read a message of Engine.IO; return None for one that python-socketio's own code must handle."""
    start = text.find("[")
    if start < 2:
        return None
    head, namespace = text[2:start], "/"
    if head[:1] == "/":
        namespace, comma, head = head.partition(",")
        if not comma or "?" in namespace:
            return None
    if head and not (head.isdigit() and head.isascii() and len(head) < 16):
        return None
    ack_id = int(head) if head else None
    kind, data = text[:2], value_at(text, start)
    if kind == "42" and data and type(data[0]) is str and data[0] not in RESERVED:
        return Event(data.pop(0), namespace, ack_id, data)
    return Ack(namespace, ack_id, data) if kind == "43" and data is not None else None


def value_at(text: str, start: int) -> Any:
    """Return the JSON list or object that begins at ``start`` and ends the text; None when this is none.

    msgspec takes a third of the time of the standard ``json``. The values are the same, but it would also
    read integers of any length. Only ``json`` reads lone surrogates, and numbers too large for a float.
    """
    try:
        if _DIGITS.isdisjoint(text[LONGEST_INTEGER :: LONGEST_INTEGER + 1]):
            # A longer integer would have had a digit at one of these places.
            return decode(text[start:])
    except (ValueError, RecursionError):
        pass
    try:
        data, end = _scan(text, start)
    except (ValueError, StopIteration, RecursionError):
        return None
    return data if end == len(text) else None


def may_hold_long_integer(text: bytes) -> bool:
    """Whether a text can have a longer integer than ``value_at`` allows, which looks in the same way."""
    return not _DIGIT_BYTES.isdisjoint(text[LONGEST_INTEGER :: LONGEST_INTEGER + 1])


def answer(event: Event, result: Any) -> bytes | None:
    """Return the frame of an ack, from what the handler has returned.

    None when it needs attachments, or python-socketio's error.
    """
    body = list_of(result)
    if body is None:
        return None
    head = "43" if event.namespace == "/" else f"43{event.namespace},"
    return frame(TEXT, f"{head}{event.ack_id}".encode() + body)


def list_of(result: Any) -> bytes | None:
    """Return the JSON list of an ack; None when it holds bytes, or a value that JSON does not have."""
    try:
        return b"[%b]" % quoted(result) if type(result) is str else dumps(_values(result)).encode()
    except (TypeError, ValueError, RecursionError):
        return None


def _values(result: Any) -> list[Any]:
    if result is None:
        return []
    return list(result) if isinstance(result, tuple) else [result]


async def answer_generally(host: Host, eio_sid: str, sid: str, event: Event, result: Any) -> None:
    """Send an ack by python-socketio's own code."""
    server, namespace, ack_id, data = host.server, event.namespace, event.ack_id, _values(result)
    try:
        await host.packet(eio_sid, server.packet_class(sio.ACK, namespace=namespace, id=ack_id, data=data))
    except Exception as error:
        if not isinstance(server, AsyncServer):
            raise
        await server.answer_failed(sid, eio_sid, event.name, namespace, ack_id, error)
