"""The bytes of an answer to a polling client, as uvicorn would write them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from socketio_cluster.cluster.http.handshake import Header
from socketio_cluster.cluster.strict.polls import without_noop

_OK: Final = b"HTTP/1.1 200 OK\r\n"
_FAILED: Final = b"HTTP/1.1 500 Internal Server Error\r\n"
_REASON: Final = (
    b"content-type: text/plain; charset=utf-8\r\ncontent-length: 21\r\nconnection: close\r\n\r\n"
    b"Internal Server Error"
)
_CLOSE: Final = b"connection: close\r\n"
_CHUNKED: Final = b"transfer-encoding: chunked\r\n"


def lines(headers: Iterable[Header]) -> bytes:
    """Return header fields with names in lower case, each with the end of its line."""
    return b"".join([b"%b: %b\r\n" % (name.lower(), value) for name, value in headers])


class ServerLines:
    """The header fields that uvicorn adds to each answer, as lines. They are made anew once a second."""

    def __init__(self) -> None:
        self._headers: list[Header] = []
        self._lines = b""

    def of(self, headers: list[Header]) -> bytes:
        """Return the lines of a list that uvicorn does not change, but replaces."""
        if headers is not self._headers:
            self._headers, self._lines = headers, lines(headers)
        return self._lines


def body_of(packets: list[Any]) -> bytes:
    """Return the body of an answer with packets, as python-engineio makes it."""
    if len(packets) > 1:
        packets = without_noop(packets)
    return "\x1e".join([packet.encode(b64=True) for packet in packets]).encode()


def chunked(said: bytes, body: bytes, *, last: bool) -> bytes:
    """Return an answer whose length is not announced.

    Args:
        said: the header fields, as ``lines`` returns them.
        body: the body.
        last: whether the connection ends after it.
    """
    chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
    return b"%b%b%b%b\r\n%b0\r\n\r\n" % (_OK, said, _CLOSE if last else b"", _CHUNKED, chunk)


def sized(said: bytes, body: bytes, *, last: bool) -> bytes:
    """Return an answer whose length is among the header fields; the arguments are those of ``chunked``."""
    return b"%b%b%b\r\n%b" % (_OK, said, _CLOSE if last else b"", body)


def failed(said: bytes) -> bytes:
    """Return the answer to a request that cannot be answered, after which the connection ends.

    Args:
        said: the header fields that uvicorn adds.
    """
    return b"%b%b%b" % (_FAILED, said, _REASON)
