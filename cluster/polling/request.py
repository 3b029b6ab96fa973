"""Reads a request of a polling client by its bytes.

Only the plain case is read here. For anything else the functions return None, and an HTTP parser, ASGI and
python-engineio serve the request.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from socketio_cluster.cluster.http.handshake import Header
from socketio_cluster.cluster.strict.request import first_values
from socketio_cluster.cluster.strict.rules import VERSION

LONGEST_HEAD: Final = 16384
_FIELDS: Final = re.compile(rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~\x80-\xff]*\r\n)+")
"""The header fields of a request (RFC 9112)."""
_UNUSUAL: Final = frozenset(
    (b"content-length", b"transfer-encoding", b"expect", b"upgrade", b"proxy-connection")
)
"""Header fields that change what a request is, or what becomes of its connection: httptools obeys
``Proxy-Connection`` as it does ``Connection``."""
_LENGTH: Final = re.compile(rb"(?i:content-length):[ \t]*(\d{1,9})[ \t]*\r\n")
_TIME: Final = b"&t="


class PollingRequest(msgspec.Struct):
    """A whole request.

    The query is without the ``time``, and the header fields are without the length of the body.
    """

    method: bytes
    query: bytes
    time: bytes
    fields: bytes
    body: bytes


class RequestReader:
    """Reads requests for one path."""

    def __init__(self, path: str) -> None:
        line = rb"(GET|POST) %b\?([\w.~=&-]+) HTTP/1\.1\r\n" % re.escape(path.encode())
        self._match = re.compile(line).match

    def read(self, data: bytes) -> PollingRequest | None:
        """Read a GET without a body, or a POST with its whole body, and nothing behind it."""
        line = self._match(data)
        if line is None:
            return None
        begin = line.end()
        end = data.find(b"\r\n\r\n", begin, LONGEST_HEAD)
        if end < 0:
            return None
        method, query = line.groups()
        fields, body = data[begin : end + 2], data[end + 4 :]
        length = 0
        if method == b"POST":
            fields, length = without_length(fields)
        if len(body) != length:
            return None
        query, time = without_time(query)
        return PollingRequest(method, query, time, fields, body)


def without_length(fields: bytes) -> tuple[bytes, int]:
    """Return header fields without the length of the body, and this length; -1 if they do not name it."""
    said = _LENGTH.search(fields)
    if said is None or (said.start() and fields[said.start() - 1] != 10):  # the end of the line before
        return fields, -1
    return fields[: said.start()] + fields[said.end() :], int(said[1])


def without_time(query: bytes) -> tuple[bytes, bytes]:
    """Return a query without what a client puts into each so that no cache answers, and that."""
    begin = query.find(_TIME)
    if begin < 0:
        return query, b""
    time, ampersand, rest = query[begin + len(_TIME) :].partition(b"&")
    return query[:begin] + ampersand + rest, time


def session_in(query: bytes) -> str | None:
    """Return the id of the session that a query names; None when it is no query of the plain case."""
    said = first_values(query.decode())
    plain = said.get("transport") == "polling" and said.get("EIO") == VERSION and "j" not in said
    return said.get("sid") if plain else None


def read_fields(fields: bytes) -> list[Header] | None:
    """Return header fields as httptools does: names in lower case, values with the spaces behind them.

    None when one of them is not well-formed, or asks for what only the general way does.
    """
    if _FIELDS.fullmatch(fields) is None:
        return None
    found = []
    for line in fields[:-2].split(b"\r\n"):
        name, _, value = line.partition(b":")
        name, value = name.lower(), value.lstrip(b" \t")
        if name in _UNUSUAL or (name == b"connection" and value.lower() != b"keep-alive"):
            return None
        found.append((name, value))
    return found
