"""How a worker configures uvicorn: its protocols, its limits and its times."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import uvicorn

from socketio_cluster.cluster.cli.options import ServeOptions
from socketio_cluster.cluster.http.front import FrontProtocol
from socketio_cluster.cluster.http.lane_protocol import LaneProtocol
from socketio_cluster.cluster.http.newcomers import Newcomers
from socketio_cluster.cluster.http.protocol import HttpProtocol, HttpStats
from socketio_cluster.cluster.http.websocket import RelayProtocol
from socketio_cluster.cluster.sockets.sockets import BACKLOG
from socketio_cluster.cluster.sockets.tls import server_context

# uvicorn gets so much less than the whole grace, so that the lifespan and the goodbyes have time too.
GOODBYE_SECONDS = 2
# Engine.IO uses the same times.
PING_SECONDS = 25
PONG_SECONDS = 20
# This is uvicorn's own limit of a message. A Socket.IO server of the application may raise it.
WEBSOCKET_BYTES = 16 * 1024 * 1024


def uvicorn_config(app: Any, options: ServeOptions, http_stats: HttpStats) -> uvicorn.Config:
    """Return the configuration of a worker's uvicorn server for an application.

    Raises ``UsageError`` as ``server_context``.
    """
    tls = server_context(options)
    return uvicorn.Config(
        app,
        http=_http_protocol(options, http_stats),  # type: ignore[arg-type]  # it is only called
        ws=LaneProtocol if options.uses_lane else RelayProtocol,
        forwarded_allow_ips=options.forwarded_allow_ips,
        root_path=options.root_path,
        # These are for plain clients and the application's own WebSockets. Engine.IO sends pings of its own.
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PONG_SECONDS,
        ws_per_message_deflate=options.ws_per_message_deflate,
        access_log=options.access_log,
        ssl_context_factory=None if tls is None else lambda *_: tls,
        log_config=None,
        backlog=BACKLOG,
        ws_max_size=WEBSOCKET_BYTES,
        timeout_graceful_shutdown=max(1, int(options.grace) - GOODBYE_SECONDS),
    )


def _http_protocol(options: ServeOptions, http_stats: HttpStats) -> Callable[..., asyncio.Protocol]:
    if options.uses_lane:
        return partial(FrontProtocol, Newcomers(http_stats))
    return partial(HttpProtocol, http_stats)
