"""Our server and the official one, side by side."""

from __future__ import annotations

import contextlib
import json
import subprocess

import aiohttp
import pytest

from tests import harness
from tests.jsclient import HERE, install
from tests.services.process import program

OPTIONS = {"maxHttpBufferSize": 10_000, "pingInterval": 25_500, "pingTimeout": 20_250}
SERVER_OPTIONS = {"max_http_buffer_size": 10_000, "ping_interval": 25.5, "ping_timeout": 20.25}


class Official:
    """A running official server."""

    def __init__(self, url):
        self.url = url


@contextlib.contextmanager
def official_server(**options):
    install()
    command = [program("node", package="nodejs"), str(HERE / "server.js"), json.dumps(OPTIONS | options)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Official(f"http://127.0.0.1:{int(process.stdout.readline())}")
        process.stdin.close()
        process.wait(10)


@pytest.fixture(scope="session")
def official():
    with official_server() as server:
        yield server


@pytest.fixture(scope="session")
def impatient():
    """An official server that gives a client a second to join a namespace."""
    with official_server(connectTimeout=1000) as server:
        yield server


@pytest.fixture(scope="session")
def hasty():
    """An official server that pings soon and does not wait long for an answer."""
    with official_server(pingInterval=300, pingTimeout=200) as server:
        yield server


@pytest.fixture
def server_options():
    """How our server differs from its defaults."""
    return SERVER_OPTIONS


@pytest.fixture
def connect_seconds():
    """How long our server gives it."""
    return 45


@pytest.fixture
def lane():
    """Whether our server has lanes; ``both_ways`` runs a test with and without."""
    return harness.LANE


both_ways = pytest.mark.parametrize("lane", [True, False], ids=["lane", "no-lane"])


@pytest.fixture
async def node(prefix, connect_seconds, server_options, lane, monkeypatch):
    """A node that is alone, with the same options as the official server."""
    monkeypatch.setattr(harness, "LANE", lane)

    def configure(node):
        async def echo(sid, *args):
            await node.sio.emit("echo", args, to=sid)

        async def leave(sid):
            eio_sid = node.manager.eio_sid_from_sid(sid)
            node.manager.spawn(node.sio.eio.disconnect(eio_sid))

        node.sio.on("echo", echo)
        node.sio.on("leave", leave)

    one = harness.three_nodes(
        None,
        prefix,
        count=1,
        configure=configure,
        server_options=server_options,
        connect_seconds=connect_seconds,
    )
    async with one as (node,):
        yield node


@pytest.fixture
async def http():
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        yield session
