"""Events and acks in the JSON format, read and answered the short way.

The same bytes as python-socketio's ``Packet`` makes (tested against it), for the packets nearly all
traffic consists of: no attachments, the standard ``json``. ``read`` gives None for everything else, which
then goes the general way.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from socketio import packet as sio

from socketio_cluster.cluster.lane.frames import TEXT, frame
from socketio_cluster.cluster.server import AsyncServer
from socketio_cluster.manager.clients.compact_json import dumps, refuse_constant
from socketio_cluster.manager.clients.packets import RESERVED
from socketio_cluster.manager.host.server import Host

LONGEST_INTEGER: Final = 100
"""Digits of an integer that python-engineio takes: reading one takes time with the square of its digits."""


def _integer(digits: str) -> int:
    if len(digits) > LONGEST_INTEGER:
        raise ValueError("an integer with too many digits")
    return int(digits)


def _scanner(**options: Any) -> Callable[[str, int], tuple[Any, int]]:
    return json.JSONDecoder(parse_constant=refuse_constant, **options).scan_once  # type: ignore[attr-defined,no-any-return]


_scan: Final = _scanner()
_scan_long: Final = _scanner(parse_int=_integer)
"""For texts that have room for such an integer: it calls a function for each, which short ones are spared."""


class Event(NamedTuple):
    """An EVENT or, with ``answer``, an ACK: its namespace, its ack id, and what it carries."""

    answer: bool
    namespace: str
    ack_id: int | None
    data: list[Any]


def read(text: str) -> Event | None:
    """Read a Socket.IO packet; None for what the general way has to look at."""
    start = text.find("[")
    if start < 1 or text[0] not in "23":
        return None
    head, namespace = text[1:start], "/"
    if head[:1] == "/":
        namespace, comma, head = head.partition(",")
        if not comma or "?" in namespace:
            return None
    if head and not (head.isascii() and head.isdigit() and len(head) < 16):
        return None
    try:
        data, end = (_scan if len(text) <= LONGEST_INTEGER else _scan_long)(text, start)
    except (ValueError, StopIteration, RecursionError):
        return None
    answer = text[0] == "3"
    named = answer or (data and isinstance(data[0], str) and data[0] not in RESERVED)
    if end != len(text) or not named:
        return None
    return Event(answer, namespace, int(head) if head else None, data)


def answer(event: Event, data: list[Any]) -> bytes | None:
    """Make the frame of an ack; None when the general way has to."""
    try:
        body = dumps(data)
    except (TypeError, ValueError, RecursionError):  # bytes somewhere in it, or what no JSON can say
        return None
    head = "43" if event.namespace == "/" else f"43{event.namespace},"
    return frame(TEXT, f"{head}{event.ack_id}{body}".encode())


async def answer_generally(host: Host, eio_sid: str, sid: str, event: Event, data: list[Any]) -> None:
    """Send an ack the general way."""
    server, namespace, ack_id = host.server, event.namespace, event.ack_id
    try:
        await host.packet(eio_sid, server.packet_class(sio.ACK, namespace=namespace, id=ack_id, data=data))
    except Exception as error:
        if not isinstance(server, AsyncServer):
            raise
        await server.answer_failed(sid, eio_sid, event.data[0], namespace, ack_id, error)
