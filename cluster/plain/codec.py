"""The format of messages to and from plain clients: the interface of a codec, and the JSON codec.

Applications may bring a codec of their own; see docs/plain-websocket.md.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any, Final, Protocol

from engineio.json import loads

from socketio_cluster.cluster.plain.message import BadMessage, Message
from socketio_cluster.manager.clients.compact_json import refuse_constant, without_constants


class Codec(Protocol):
    """Translates messages.

    One codec serves all clients of an endpoint, so it must keep no state of a client.
    """

    def decode(self, data: str | bytes) -> Message:
        """Read what a client sent, text or binary; raise ``BadMessage`` with a text for the client."""

    def encode(self, message: Message) -> str | bytes | None:
        """Return the text or bytes that are sent for a message; None to send nothing.

        It is called once for an event, whatever the number of clients that get it.
        """


FIELDS: Final = ("event", "data", "room", "ack", "id", "token")
_Bytes = bytes | bytearray | memoryview


class JsonCodec:
    """Messages are JSON objects with ``event``, ``data``, ``room``, ``ack``, ``id`` and ``token``.

    Bytes follow a line of JSON, as binary.
    """

    def decode(self, data: str | bytes) -> Message:
        """Read an object. In a binary message the bytes after the first line are the data."""
        if isinstance(data, str):
            return _message(_object(data))
        head, line, body = data.partition(b"\n")
        try:
            found = _object(head.decode())
        except UnicodeDecodeError:
            raise BadMessage("the first line of a binary message must be JSON in UTF-8") from None
        if line:
            if "data" in found:
                raise BadMessage("data is given twice: in the first line and behind it", _ack(found))
            found["data"] = body
        return _message(found)

    def encode(self, message: Message) -> str | bytes:
        """Return an object as text, or as binary when its only argument is bytes."""
        fields: dict[str, Any] = {}
        if message.event is not None:
            fields["event"] = message.event
        if message.room is not None:
            fields["room"] = message.room
        if message.ack is not None:
            fields["ack"] = message.ack
        if message.error is not None:
            fields["error"] = message.error
        if message.id is not None:
            fields["id"] = message.id
        if len(message.args) == 1 and isinstance(message.args[0], _Bytes):
            return _dump(fields).encode() + b"\n" + bytes(message.args[0])
        if message.args:
            fields["data"] = message.args[0] if len(message.args) == 1 else message.args
        return _dump(fields)


def _object(text: str) -> dict[str, Any]:
    try:
        found = loads(text, parse_constant=refuse_constant)
    except RecursionError:
        raise BadMessage("this JSON is nested too deeply") from None
    except ValueError as error:
        raise BadMessage(f"this is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise BadMessage('a message is an object, like {"event": "say", "data": "hello"}')
    return found


def _message(found: dict[str, Any]) -> Message:
    unknown = [name for name in found if name not in FIELDS]
    if unknown:
        raise BadMessage(f"{unknown[0][:40]!r} is no field of a message: {', '.join(FIELDS)}", _ack(found))
    args = (found["data"],) if "data" in found else ()
    return Message(
        found.get("event"),
        args,
        found.get("room"),
        found.get("ack"),
        id=found.get("id"),
        token=found.get("token"),
    )


def _ack(found: dict[str, Any]) -> int | None:
    ack = found.get("ack")
    return ack if type(ack) is int else None


def _dump(fields: dict[str, Any]) -> str:
    return without_constants(json.dumps(fields, separators=(",", ":"), default=_base64))


def _base64(value: object) -> dict[str, str]:
    if isinstance(value, _Bytes):
        return {"base64": b64encode(value).decode()}
    raise TypeError(f"an event with a {type(value).__name__} cannot be sent as JSON")
