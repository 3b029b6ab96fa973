"""The POSTs of one server that go the short way: the packets of a whole body go straight to the session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engineio.packet import Packet

from socketio_cluster.cluster.limits.limits import pacer_of
from socketio_cluster.cluster.polling.answer import ServerLines, sized
from socketio_cluster.cluster.polling.head import Head
from socketio_cluster.cluster.polling.post import Post
from socketio_cluster.cluster.strict.answers import OK
from socketio_cluster.cluster.strict.gate import Gate
from socketio_cluster.manager.host.posts import AT_ONCE, packets_of
from socketio_cluster.manager.host.session import hang_up

if TYPE_CHECKING:
    from socketio_cluster.cluster.lane.install import ServerLanes


class ServerPosts:
    """The POSTs of one server; the arguments are those of ``ServerPolls``."""

    def __init__(self, lanes: ServerLanes, gate: Gate) -> None:
        self._host = lanes.host
        self._engine = lanes.host.engine
        self._stats = lanes.stats
        self._spawn = lanes.spawn
        self._reading = gate.reading
        self._server_lines = ServerLines()

    def serve(self, connection: Any, head: Head, socket: Any, body: bytes) -> bool:
        """Handle a POST; return False, and do nothing, when it has to go the general way.

        The general way refuses what breaks the protocol, and takes a large body in parts.
        """
        if socket.closing or socket.sid in self._reading or pacer_of(self._host) is not None:
            return False
        if len(body) > self._engine.max_http_buffer_size:
            return False
        packets = _packets(body)
        if packets is None:
            return False
        self._reading.add(socket.sid)
        self._stats.received_bytes += len(body)
        post = Post(connection)
        connection.begin(post)
        self._spawn(self._take(post, head, socket, packets), connection.context)
        return True

    async def _take(self, post: Post, head: Head, socket: Any, packets: list[Packet]) -> None:
        try:
            # As in python-engineio, all packets of a body are taken, though one of them may end the session.
            for packet in () if socket.closed else packets:
                await socket.receive(packet)
        except (ValueError, RecursionError):  # its JSON is nested too deeply, for instance
            self._spawn(hang_up(socket, self._engine.reason.TRANSPORT_ERROR))
        finally:
            self._reading.discard(socket.sid)
            if post.connection is not None:
                said = self._server_lines.of(post.connection.server_headers) + head.said
                post.connection.end(sized(said, OK.body, last=post.connection.last))


def _packets(body: bytes) -> list[Packet] | None:
    """Return the packets of a body; None when there are many, or one that cannot be read."""
    try:
        texts = packets_of(body)
        return [Packet(encoded_packet=text) for text in texts] if len(texts) <= AT_ONCE else None
    except (ValueError, RecursionError):
        return None
