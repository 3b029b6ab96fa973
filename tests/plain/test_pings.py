"""The WebSocket server's pings keep watch over plain clients."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
import uvicorn

import tests.harness
from socketio_cluster.cluster.http.protocol import HttpStats
from socketio_cluster.cluster.lane.connection import Lane
from socketio_cluster.cluster.uvicorn_config import PING_SECONDS, PONG_SECONDS, uvicorn_config
from tests.harness import LANE, SECONDS, client, eventually
from tests.plain.plain import plain, plain_nodes

HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
PING = b"\x89\x04"


@pytest.fixture
async def node(local_url, prefix, monkeypatch):
    """A node that pings often."""
    often = partial(uvicorn.Config, ws_ping_interval=0.1, ws_ping_timeout=0.3)
    monkeypatch.setattr(tests.harness.uvicorn, "Config", often)
    async with plain_nodes(local_url, prefix, count=1) as [node]:
        yield node


async def test_silent_client_is_disconnected(node):
    """A client that answers no ping is pinged once and gone."""
    host, port = node.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(HANDSHAKE)
    async with asyncio.timeout(SECONDS):
        received = await reader.read()
    assert received.count(PING) == 1
    assert b"keepalive ping timeout" in received
    await eventually(lambda: node.log[-1][0::2] == ("disconnect", "transport close"))
    writer.close()


async def test_client_that_answers_stays(node):
    """A client whose library answers pings needs to do nothing."""
    async with plain(node) as one:
        [connection] = node.server.server_state.connections
        await eventually(lambda: connection.last_ping_rtt > 0)
        assert await one.ask(event="say", data=1) == {"ack": 1, "data": 1}


@pytest.mark.skipif(not LANE, reason="without lanes Engine.IO's own pings are not the only ones")
async def test_lane_has_engineio_pings_only(node):
    """A Socket.IO client with a lane is not pinged twice."""
    async with client(node):
        [connection] = node.server.server_state.connections
        assert isinstance(connection, Lane)


def test_serve_pings():
    """Under ``socketio-cluster serve`` pings go out as often as Engine.IO's."""
    config = uvicorn_config(object(), _Options(), HttpStats())
    assert (config.ws_ping_interval, config.ws_ping_timeout) == (PING_SECONDS, PONG_SECONDS) == (25, 20)


class _Options:
    """A worker's options, those that matter here."""

    lane = True
    grace = 10

    def __getattr__(self, name):
        return None
