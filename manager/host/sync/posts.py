"""POSTs of polling clients of a threaded server, as ``host/posts.py`` handles those of an asyncio one."""

from __future__ import annotations

import logging
from io import BytesIO
from typing import Any

from socketio_cluster.manager.host.payload import packets_of
from socketio_cluster.manager.host.posts import length_of, parts_of, with_body
from socketio_cluster.manager.host.sync.reader import hang_up

logger = logging.getLogger("socketio_cluster.manager")


def handle_post(socket: Any, environ: dict[str, Any]) -> None:
    """Handle a POST; who sends what is no packet is disconnected."""
    body = environ["wsgi.input"].read(length_of(socket, environ))
    try:
        for part in parts_of(packets_of(body)):
            if socket.closed:
                break
            type(socket).handle_post_request(socket, with_body(environ, part, BytesIO))
    except (ValueError, RecursionError) as error:  # not a packet, not base64, or JSON nested without end
        logger.warning("client %s broke the protocol: %s", socket.sid, error)
        hang_up(socket, socket.server.reason.TRANSPORT_ERROR)
