"""The requests of one server's polling clients that go the short way: without an HTTP parser and ASGI.

What is not the plain case goes the general way, with the same answers and the same calls of handlers. Both
ways share the book of the polls that wait, so a session has one poll at a time, whichever way it came.

A poll that waits needs no timer: before python-engineio's own time for a poll is over, a session is pinged,
or closed for want of a pong, and the end of a session puts a packet into its queue, too.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from engineio.packet import NOOP, Packet

from socketio_cluster.cluster.polling.answer import ServerLines, body_of, chunked, failed, lines
from socketio_cluster.cluster.polling.head import TEXT, Head, head_of
from socketio_cluster.cluster.polling.poll import Poll
from socketio_cluster.cluster.polling.request import PollingRequest, RequestReader, read_fields, session_in
from socketio_cluster.cluster.polling.server_posts import ServerPosts
from socketio_cluster.cluster.stack import LAYERS
from socketio_cluster.cluster.strict.gate import Gate
from socketio_cluster.cluster.strict.rules import is_over, mark_over
from socketio_cluster.manager.host.polling import Polling
from socketio_cluster.manager.host.session import hang_up

if TYPE_CHECKING:
    from socketio_cluster.cluster.lane.install import ServerLanes

KNOWN: Final = frozenset(LAYERS)
"""The layers whose work is done here too."""
_BYTES: Final = (b"content-type", b"application/octet-stream")
"""A header field of a POST that the general way refuses."""

log = logging.getLogger("socketio_cluster.cluster")

Scope = dict[str, Any]


class ServerPolls:
    """The polls of one server, and the things they share.

    Args:
        lanes: the lanes of the server.
        gate: its gate.
        path: its path, with a slash at the end.
        complete: completes a scope, as the middlewares do that uvicorn itself puts before the application.
    """

    def __init__(
        self, lanes: ServerLanes, gate: Gate, path: str, complete: Callable[[Scope], object]
    ) -> None:
        self._host = host = lanes.host
        self._engine = host.engine
        self._path = path
        self._reader = RequestReader(path)
        self._stats = lanes.stats
        self._complete = complete
        self._spawn = lanes.spawn
        self._polling = Polling(host, KNOWN)
        self._waiting = gate.waiting
        self._is_repeat = gate.is_repeat
        self._server_lines = ServerLines()
        self._posts = ServerPosts(lanes, gate)
        self.flusher = lanes.flusher

    def serve(self, connection: Any, data: bytes) -> bool:
        """Serve a request; return False, and do nothing, when it has to go the general way.

        Args:
            connection: the HTTP connection, on which nothing is under way.
            data: the bytes that have come.
        """
        request = self._reader.read(data)
        if request is None:
            return False
        head = self._head(connection, request)
        if head is None:
            return False
        socket = self._engine.sockets.get(head.sid)
        if socket is None or not socket.connected or socket.closed or socket.upgraded or is_over(socket):
            return False
        if request.method == b"POST":
            return self._posts.serve(connection, head, socket, request.body)
        if socket.upgrading or head.sid in self._waiting or self._is_repeat(socket, request.time):
            return False
        self._begin(Poll(self, connection, head, socket, request.time))
        return True

    def _head(self, connection: Any, request: PollingRequest) -> Head | None:
        known: Head | None = connection.heads.get(request.method)
        if (
            known is not None
            and known.fields == request.fields
            and known.query == request.query
            and known.pages == self._engine.cors_allowed_origins
            and self._polling.unwatched
        ):
            return known
        sid, headers = session_in(request.query), read_fields(request.fields)
        if sid is None or headers is None or _BYTES in headers or not self._polling.plain:
            return None
        scope = connection.scope_of(request.method.decode(), self._path, headers)
        self._complete(scope)
        head = head_of(self._host, self._polling, request, sid, scope)
        if head is not None:
            connection.heads[request.method] = head
        return head

    # polls

    def _begin(self, poll: Poll) -> None:
        self._waiting[poll.head.sid] = poll
        poll.connection.begin(poll)
        self.answer(poll)

    def answer(self, poll: Poll) -> None:
        """Answer a poll with the packets that wait for its client; with none, let it wait."""
        if self._waiting.get(poll.head.sid) is not poll:
            return
        socket = poll.socket
        packets = [Packet(NOOP)] if socket.upgraded else socket.queue.take()
        if packets is None:
            socket.queue.poll = poll
        else:
            self._end(poll, packets)

    def _end(self, poll: Poll, packets: list[Any]) -> None:
        sid, connection = poll.head.sid, poll.connection
        del self._waiting[sid]  # this must come before the client can poll again
        poll.socket.answered = poll.time
        if poll.socket.closed:
            self._engine.sockets.pop(sid, None)
        server_lines = self._server_lines.of(connection.server_headers)
        try:
            said, body = self._made(poll.head, packets)
        except Exception:  # as in uvicorn: only this client may notice it
            log.exception("the packets of client %s could not be encoded", sid)
            connection.last = True
            connection.end(failed(server_lines))
        else:
            connection.end(chunked(server_lines + said, body, last=connection.last))

    def _made(self, head: Head, packets: list[Any]) -> tuple[bytes, bytes]:
        """Return the header fields and the body of an answer. An application may send what has no text."""
        said, body = head.said, body_of(packets)
        self._stats.sent_bytes += len(body)
        if head.encoding is not None and self._polling.is_long(body):
            body = self._polling.compressed(head.encoding, body)
            said = lines([TEXT, (b"content-encoding", head.encoding.encode()), *head.cors])
        return said, body

    def lost(self, poll: Poll) -> None:
        """End the session of a poll whose connection has ended."""
        if self._waiting.get(poll.head.sid) is poll:
            del self._waiting[poll.head.sid]
            mark_over(poll.socket)
            self._spawn(self._close(poll.socket))

    async def _close(self, socket: Any) -> None:
        await hang_up(socket, self._engine.reason.TRANSPORT_ERROR)
        self._engine.sockets.pop(socket.sid, None)
