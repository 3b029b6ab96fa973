"""What the header fields of a request mean for its answer; a client sends the same ones again and again."""

from __future__ import annotations

from typing import Any

import msgspec

from socketio_cluster.cluster.http.handshake import Header
from socketio_cluster.cluster.polling.answer import lines
from socketio_cluster.manager.host.polling import Polling
from socketio_cluster.manager.host.server import Host
from socketio_cluster.manager.tasks import run_now


class Head(msgspec.Struct, frozen=True):
    """The header fields of a request of the plain case.

    ``fields`` are its bytes, ``encoding`` is that of a long answer, and ``cors`` are header fields of each
    answer.
    """

    fields: bytes
    headers: list[Header]
    encoding: str | None
    cors: list[Header]
    said: bytes
    """The header fields of an answer with packets that is not compressed."""

    def says(self, name: bytes) -> bytes:
        """Return the value of a header field, or an empty text."""
        return next((value for known, value in self.headers if known == name), b"")


def head_of(
    host: Host, polling: Polling, fields: bytes, headers: list[Header], scope: dict[str, Any]
) -> Head | None:
    """Return what header fields mean; None when the page that asks may not do so.

    Args:
        host: the server.
        polling: the requests of its polling clients.
        fields: the header fields as they came.
        headers: the same, one by one.
        scope: a scope of ASGI with them.
    """
    environ = run_now(host.environ_of(scope, None))
    if not host.same_origin(environ):
        return None
    cors = [(name.lower().encode(), value.encode()) for name, value in host.cors_headers(environ)]
    encoding = polling.encoding(environ.get("HTTP_ACCEPT_ENCODING", ""))
    return Head(fields, headers, encoding, cors, lines([TEXT, *cors]))


TEXT: Header = (b"content-type", b"text/plain; charset=UTF-8")
"""That of an answer with packets."""
