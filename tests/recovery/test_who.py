"""Who is recovered, and who gets one more argument."""

from __future__ import annotations

import pytest
import websockets

from tests.harness import LANE
from tests.harness import client as python_client
from tests.recovery.clients import came_back, fence, take


@pytest.fixture(params=["local"])
def bus_url(request):
    """One bus: who a client is does not depend on it."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_connection_closed_beneath_the_client(nodes, connect, transport):
    """A client whose engine is closed, as the documentation of the library shows, is recovered."""
    client = await connect(transports=[transport])
    sid = client.sid
    for number in range(3):
        client.drop()
        await nodes[1].sio.emit("n", number, to=sid)
        assert await came_back(client) is True
        assert client.sid == sid
        await take(client, "n", number)
    await fence(nodes[0], client)


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_client_that_leaves(nodes, connect, transport):
    """A client that has said that it leaves, and comes again, is a new one."""
    client = await connect(transports=[transport])
    sid = client.sid
    await client.disconnect()
    await nodes[1].sio.emit("missed", to=sid)
    client.reconnect()
    assert await came_back(client) is False
    assert client.sid != sid
    await fence(nodes[0], client)


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_python_client(nodes, transport):
    """python-socketio's client gets events as they were emitted."""
    async with python_client(nodes[0], transports=[transport]) as one:
        await nodes[1].sio.emit("n", "text")
        assert await one.next("n") == ["text"]
        assert nodes[0].manager.members.clients[one.sid].session is None


AGENTS = {
    "Mozilla/5.0 (X11; Linux x86_64) Chrome/130": True,
    "okhttp/4.12.0": False,
    "Dart/3.5 (dart:io)": False,
    "": False,
}


@pytest.mark.parametrize(
    ("agent", "query", "gets"),
    [
        *((agent, "", gets) for agent, gets in AGENTS.items()),
        ("okhttp/4.12.0", "&recovery=1", True),
        ("Mozilla/5.0", "&recovery=0", False),
    ],
)
async def test_other_clients(nodes, agent, query, gets):
    """The user agent says whether a client gets one more argument, unless the query says so."""
    url = nodes[0].url.replace("http", "ws") + f"/socket.io/?EIO=4&transport=websocket{query}"
    extra = {"user_agent_header": agent or None, "compression": None, "proxy": None}
    async with websockets.connect(url, **extra) as ws:
        await ws.recv()
        await ws.send("40")
        assert ('"pid"' in await ws.recv()) is gets
        await nodes[1].sio.emit("n", "text")
        assert ((await ws.recv()) == '42["n","text"]') is not gets


@pytest.mark.skipif(not LANE, reason="without a lane an environ is made at once")
@pytest.mark.parametrize(
    ("agent", "query"), [("Mozilla/5.0", ""), ("okhttp/4.12.0", ""), (None, "&recovery=1")]
)
async def test_the_environ_stays_unmade(nodes, agent, query):
    """To tell who a client is, and to tell it whether it was recovered, takes no whole environ."""
    url = nodes[0].url.replace("http", "ws") + f"/socket.io/?EIO=4&transport=websocket{query}"
    extra = {"user_agent_header": agent, "compression": None, "proxy": None}
    async with websockets.connect(url, **extra) as ws:
        await ws.recv()
        await ws.send("40")
        await ws.recv()
        (environ,) = nodes[0].sio.environ.values()
        assert not dict.__contains__(environ, "PATH_INFO")
        assert environ["socketio.recovered"] is False
        assert environ.get("HTTP_USER_AGENT") == agent
        assert environ["PATH_INFO"] == "/socket.io/"
