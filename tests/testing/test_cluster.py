"""Clients of a test cluster see what clients of real nodes would see."""

from __future__ import annotations

import asyncio
import sys
from functools import partial

import httpx
import pytest
import socketio
from socketio.exceptions import ConnectionError as SocketIOConnectionError

import tests.testing.apps
from socketio_cluster import AsyncServer, SettingError
from socketio_cluster.testing import NotReceived, TestCluster
from tests.testing.apps import make_api, make_app


@pytest.fixture
async def cluster():
    async with TestCluster(make_app) as cluster:
        yield cluster


@pytest.mark.parametrize("serializer", ["default", "msgpack"])
@pytest.mark.parametrize("kind", [socketio.AsyncServer, AsyncServer])
async def test_two_nodes(kind, serializer):
    """Events, rooms and answers cross the nodes of either server, in either format, also with bytes."""
    async with TestCluster(partial(make_app, kind, serializer=serializer)) as cluster:
        alice, bob = await cluster.connect(0), await cluster.connect(1)
        assert await alice.call("tell", "a", b"\x00\xff", None) == ("a", b"\x00\xff", None)
        assert await bob.receive("told") == ("a", b"\x00\xff", None)
        assert await alice.remaining() == []

        async def asked(question):
            return question, b"\x01"

        bob.on("asked", asked)
        assert await alice.call("ask", bob.sid, "why?") == ("why?", b"\x01")


async def test_no_data_is_none(cluster):
    """An event and an answer without arguments are None, with one it is that one."""
    alice, bob = await cluster.connect(0), await cluster.connect(1)
    assert await alice.call("tell") is None
    assert await bob.receive("told") is None
    assert await alice.call("tell", [1]) == [1]
    assert await bob.receive("told") == [1]


async def test_remaining_is_all_that_was_emitted(cluster):
    """All that both nodes have emitted is there, in the order of each, without what was taken."""
    alice = await cluster.connect(0)
    for number in range(100):
        for name, node in zip("ab", cluster.nodes, strict=True):
            await node.sio.emit(name, number)
    assert await alice.receive("b") == 0
    found = await alice.remaining()
    assert [data for name, data in found if name == "a"] == list(range(100))
    assert [data for name, data in found if name == "b"] == list(range(1, 100))
    assert await alice.remaining() == []


async def test_what_came_instead(cluster):
    """The error of an event that does not come names those that wait."""
    alice = await cluster.connect(0)
    await cluster.nodes[1].sio.emit("news", {"price": 3})
    with pytest.raises(NotReceived) as error:
        await alice.receive("chat", timeout=0.3)
    assert str(error.value) == (
        "the event 'chat' has not come within 0.3 s; waiting are 'news' with {'price': 3}"
    )
    with pytest.raises(NotReceived, match=r"an answer to 'silent' has not come within 0\.1 s"):
        await alice.call("silent", timeout=0.1)


async def test_a_client_is_sent_away(cluster):
    """Who is disconnected by the server sees it, and what it waits for ends at once."""
    alice, bob = await cluster.connect(0), await cluster.connect(1)
    waiting = asyncio.create_task(bob.receive("told"))
    calling = asyncio.create_task(bob.call("silent"))
    await alice.call("kick", bob.sid)
    await bob.disconnected()
    assert not bob.connected
    assert alice.connected
    with pytest.raises(NotReceived, match="before the server ended the connection; nothing is waiting"):
        await waiting
    with pytest.raises(SocketIOConnectionError, match="ended"):
        await calling
    with pytest.raises(SocketIOConnectionError, match="not connected"):
        await bob.emit("tell")


async def test_what_the_connect_handler_gets(cluster):
    """Query, headers and auth of a client are in what the connect handler gets."""
    alice = await cluster.connect(
        1, auth={"a": 1}, query={"v": "ü"}, headers={"User-Agent": "x", "Host": "y"}
    )
    session = await cluster.nodes[1].sio.get_session(alice.sid)
    assert session["auth"] == {"a": 1}
    assert session["QUERY_STRING"] == "EIO=4&transport=websocket&recovery=1&v=%C3%BC"
    assert (session["HTTP_USER_AGENT"], session["HTTP_HOST"], session["REMOTE_ADDR"]) == (
        "x",
        "y",
        "127.0.0.1",
    )


async def test_a_namespace(cluster):
    """A client joins the namespace that it names, and one that is not there is refused."""
    alice = await cluster.connect(namespace="/chat")
    await cluster.nodes[1].sio.emit("news", namespace="/chat")
    assert await alice.receive("news") is None
    with pytest.raises(socketio.exceptions.ConnectionRefusedError, match="Invalid namespace"):
        await cluster.connect(namespace="/nowhere")


async def test_recovery():
    """A client that loses its connection gets what it has missed at the other node."""
    async with TestCluster(partial(make_app, recovery_seconds=60)) as cluster:
        alice, bob = await cluster.connect(0), await cluster.connect(0)
        await alice.call("tell", "before")
        assert await bob.receive("told") == "before"
        with pytest.raises(SocketIOConnectionError, match="still connected"):
            await bob.reconnect()
        sid = bob.sid
        await bob.lose_connection()
        await alice.call("tell", "meanwhile")
        await bob.reconnect(node=1)
        assert bob.recovered
        assert bob.sid == sid
        assert await bob.receive("told") == "meanwhile"
        assert await bob.remaining() == []


async def test_fastapi():
    """FastAPI's routes, its lifespan and a mounted server work on each node."""
    log = []
    async with TestCluster(partial(make_api, log)) as cluster:
        assert log == ["up", "up"]
        alice = await cluster.connect(1, path="/ws/socket.io/")
        transport = httpx.ASGITransport(cluster.nodes[0].app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            assert (await http.post("/news/Hello")).status_code == 200
        assert await alice.receive("news") == "Hello"
        with pytest.raises(SocketIOConnectionError, match=r"no Socket\.IO at /socket\.io/: "):
            await cluster.connect(1)
    assert log == ["up", "up", "down", "down"]


async def test_an_application_that_cannot_start():
    """An application whose lifespan fails is an error of the test that says why."""
    with pytest.raises(RuntimeError, match="no database"):
        async with TestCluster(partial(make_api, [], fails=True)):
            pass


async def test_copies_of_a_module():
    """By its name, each node gets a copy of an application, and the test keeps its own modules."""
    before = sys.modules["tests.testing.apps"]
    async with TestCluster("tests.testing.apps:app", nodes=3) as cluster:
        assert len({id(one.sio) for one in cluster.nodes} | {id(tests.testing.apps.sio)}) == 4
        clients = [await cluster.connect(node) for node in range(3)]
        await cluster.nodes[0].sio.emit("news", 1)
        assert [await one.receive("news") for one in clients] == [1, 1, 1]
    assert sys.modules["tests.testing.apps"] is before


async def test_no_other_bus_is_reached():
    """A bus that the application names, even one with a Redis beside it, is replaced by the test's own."""
    options = {"url": "amqp://nowhere.invalid", "recovery_url": "redis://nowhere.invalid"}
    async with TestCluster(partial(make_app, recovery_seconds=60, **options)) as cluster:
        assert {node.manager.options.url[:14] for node in cluster.nodes} == {"memory://test-"}


@pytest.mark.parametrize("make", [lambda: make_app, lambda: tests.testing.apps.app])
async def test_no_manager_of_its_own(make):
    """An application that has made no ClusterManager is refused with what to do."""
    with pytest.raises(SettingError, match="has made no ClusterManager: give TestCluster a function"):
        async with TestCluster(make):
            pass


async def test_nothing_is_left():
    """After the end no task of the cluster runs, though clients were connected until then."""
    before = asyncio.all_tasks()
    async with TestCluster(make_app) as cluster:
        clients = [await cluster.connect(node) for node in (0, 1)]
        assert len(asyncio.all_tasks() - before) > 2
    assert not any(one.connected for one in clients)
    assert asyncio.all_tasks() == before
