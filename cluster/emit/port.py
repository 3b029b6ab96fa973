"""The emit port of a worker: all workers of a supervisor listen on one socket."""

from __future__ import annotations

import asyncio
import socket
from functools import partial

import uvicorn

from socketio_cluster.cluster.emit.app import EmitApp
from socketio_cluster.cluster.emit.settings import EmitSettings
from socketio_cluster.cluster.emit.tokens import Tokens
from socketio_cluster.cluster.http.protocol import HttpProtocol, HttpStats
from socketio_cluster.cluster.sockets.sockets import BACKLOG
from socketio_cluster.cluster.stack import served
from socketio_cluster.manager.client_manager import ClusterManager, active_managers


async def open_emit_port(settings: EmitSettings, server: uvicorn.Server, stats: HttpStats) -> None:
    """Serve the port beside the other sockets of a server.

    It ends with the server's sockets, and its connections end with theirs.
    """
    app = EmitApp(_manager, Tokens(settings.tokens), stats.emits)
    config = uvicorn.Config(
        app, ws="none", lifespan="off", log_config=None, access_log=False, proxy_headers=False
    )
    config.load()
    connection = partial(HttpProtocol, stats, config=config, server_state=server.server_state, app_state={})
    sock = socket.socket(fileno=settings.fd)
    loop = asyncio.get_running_loop()
    server.servers.append(await loop.create_server(connection, sock=sock, backlog=BACKLOG))


def _manager() -> ClusterManager | None:
    """Return the manager of the application's Socket.IO server, the first of several."""
    return next(iter(served(active_managers())), None)
