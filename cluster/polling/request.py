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

LONGEST_HEAD: Final = 16384
_END: Final = b" HTTP/1.1"
_QUERY: Final = re.compile(rb"[\w.~=&-]+")
_FIELDS: Final = re.compile(rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~\x80-\xff]*\r\n)+")
"""The header fields of a request (RFC 9112)."""
_UNUSUAL: Final = frozenset((b"content-length", b"transfer-encoding", b"expect", b"upgrade"))


class PollingRequest(msgspec.Struct):
    """A request: its method, the first value of each name in the query, its header fields as they came."""

    method: bytes
    query: dict[str, str]
    fields: bytes
    body: bytes


def read(data: bytes, path: bytes) -> PollingRequest | None:
    """Read a request for this path, and whatever came behind its head as the body."""
    end = data.find(b"\r\n\r\n", 0, LONGEST_HEAD)
    line_end = data.find(b"\r\n", 0, end)
    if line_end < 0:
        return None
    method, _, rest = data[:line_end].partition(b" ")
    target, _, query = rest.partition(b"?")
    if target != path or not query.endswith(_END):
        return None
    query = query[: -len(_END)]
    if _QUERY.fullmatch(query) is None:
        return None
    return PollingRequest(method, first_values(query.decode()), data[line_end + 2 : end + 2], data[end + 4 :])


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
