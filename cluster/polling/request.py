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
_UNUSUAL: Final = frozenset((b"content-length", b"transfer-encoding", b"expect", b"upgrade"))
_TIME: Final = b"&t="


class PollingRequest(msgspec.Struct):
    """A request: its method, its query without the time, its header fields as they came, and its body."""

    method: bytes
    query: bytes
    fields: bytes
    body: bytes


class RequestReader:
    """Reads requests for one path."""

    def __init__(self, path: str) -> None:
        line = rb"(GET|POST) %b\?([\w.~=&-]+) HTTP/1\.1\r\n" % re.escape(path.encode())
        self._match = re.compile(line).match

    def read(self, data: bytes) -> PollingRequest | None:
        """Read a request, and whatever came behind its head as the body."""
        line = self._match(data)
        if line is None:
            return None
        begin = line.end()
        end = data.find(b"\r\n\r\n", begin, LONGEST_HEAD)
        if end < 0:
            return None
        method, query = line.groups()
        return PollingRequest(method, without_time(query), data[begin : end + 2], data[end + 4 :])


def without_time(query: bytes) -> bytes:
    """Leave out what a client puts into each query so that no cache answers; nobody reads it."""
    begin = query.find(_TIME)
    if begin < 0:
        return query
    end = query.find(b"&", begin + 1)
    return query[:begin] if end < 0 else query[:begin] + query[end:]


def session_in(query: bytes) -> str | None:
    """Return the id of the session that a query names; None when it is no query of the plain case."""
    said = first_values(query.decode())
    plain = said.get("transport") == "polling" and said.get("EIO") == VERSION and "j" not in said
    return said.get("sid") if plain else None


def read_fields(fields: bytes) -> list[Header] | None:
    """Return header fields with names in lower case.

    None when one of them is not well-formed, or asks for what only the general way does.
    """
    if _FIELDS.fullmatch(fields) is None:
        return None
    found = []
    for line in fields[:-2].split(b"\r\n"):
        name, _, value = line.partition(b":")
        name, value = name.lower(), value.strip(b" \t")
        if name in _UNUSUAL or (name == b"connection" and value.lower() != b"keep-alive"):
            return None
        found.append((name, value))
    return found
