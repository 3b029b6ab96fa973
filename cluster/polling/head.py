"""What the head of a request means for its answer; a client sends nearly the same one again and again."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from socketio_cluster.cluster.http.handshake import Header
from socketio_cluster.cluster.polling.answer import lines
from socketio_cluster.cluster.polling.request import PollingRequest
from socketio_cluster.cluster.strict.answers import OK
from socketio_cluster.manager.host.polling import Polling
from socketio_cluster.manager.host.server import Host
from socketio_cluster.manager.tasks import run_now


class Head(msgspec.Struct, frozen=True):
    """The head of a request of the plain case.

    ``sid`` is the session in its query, ``encoding`` is that of a long answer, and ``cors`` are header fields
    of each answer. They hold as long as the server's ``cors_allowed_origins`` are equal to ``pages``.
    """

    query: bytes
    fields: bytes
    sid: str
    encoding: str | None
    cors: list[Header]
    pages: Any
    said: bytes
    """The header fields of the answer, if it is not compressed."""


def head_of(
    host: Host, polling: Polling, request: PollingRequest, sid: str, scope: dict[str, Any]
) -> Head | None:
    """Return what a head means; None when the page that asks may not do so.

    Args:
        host: the server.
        polling: the requests of its polling clients.
        request: the request.
        sid: the session in its query.
        scope: a scope of ASGI for it.
    """
    environ = run_now(host.environ_of(scope, None))
    if not host.same_origin(environ):
        return None
    cors = [(name.lower().encode(), value.encode()) for name, value in host.cors_headers(environ)]
    encoding = polling.encoding(environ.get("HTTP_ACCEPT_ENCODING", ""))
    said = [TEXT] if request.method == b"GET" else _OK
    said_lines = lines([*said, *cors])
    return Head(request.query, request.fields, sid, encoding, cors, polling.pages(), said_lines)


_OK: Final = [(name.encode(), value.encode()) for name, value in OK.headers]
TEXT: Final[Header] = (b"content-type", b"text/plain; charset=UTF-8")
"""That of an answer with packets."""
