"""Clients that come back while their last return is still under way: one that is alone has its session."""

from __future__ import annotations

import asyncio
import random

import aiohttp
import pytest

from socketio_cluster.manager.recovery import arrivals
from tests.harness import eventually, three_nodes
from tests.recovery.clients import left
from tests.recovery.plain_clients import PlainClient, open_endpoint, plain_client
from tests.recovery.polling_clients import PollingClient, polling_client


@pytest.fixture(params=["local"])
def bus_url(request):
    """One bus, where the order of what happens does not depend on it."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
async def nodes(bus_url, prefix):
    async with three_nodes(bus_url, prefix, configure=open_endpoint, recovery_seconds=30) as three:
        yield three


@pytest.fixture
async def http():
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        yield session


def hold_connects(node):
    """Hold up the connect handler of a node for clients that come back. Returns how to let it go on."""
    go_on = asyncio.Event()

    async def connect(sid, environ, auth=None):
        node.log.append(("connect", sid))
        if environ["socketio.recovered"]:
            await go_on.wait()
            node.log.append(("go on", sid))

    node.sio.on("connect", connect)
    return go_on


def holds(node, sid):
    """Whether the connect handler of a node is held up."""
    return node.log.count(("connect", sid)) > node.log.count(("go on", sid))


async def test_cut_off_while_it_is_sent_what_it_missed(nodes, http):
    """A node that sends events to a connection nobody asks at any more stops when its client is back."""
    a, b, _ = nodes
    async with polling_client(http, a) as client:
        await a.sio.emit("n", 0)
        await eventually(lambda: client.got == [0])
        client.cut()
        await a.manager.send_back(a.manager.members.clients[client.answers[0]].eio_sid)
        for number in range(1, 8):
            await a.sio.emit("n", (number, "x" * 200_000))
        await client.come(b)
        await asyncio.wait_for(client.connected.wait(), 10)
        client.cut()
        assert await client.back(b)
        await eventually(lambda: client.got[-1] == 7)
        assert sorted(set(client.got)) == list(range(8))
        assert b.manager.stats.recoveries == {"recovered": 2}


@pytest.mark.parametrize("same", [True, False], ids=["same node", "another node"])
async def test_cut_off_in_the_connect_handler(nodes, http, monkeypatch, same):
    """The connect handler runs for the next return after that of the last one and the disconnect handler."""
    monkeypatch.setattr(arrivals, "TAKE_SECONDS", 10)
    a, b, c = nodes
    async with polling_client(http, a) as client:
        sid = client.answers[0]
        go_on = hold_connects(b)
        c.log = b.log
        await client.come(b)
        await eventually(lambda: holds(b, sid))
        client.cut()
        await client.come(b if same else c)
        await eventually(lambda: b.manager.members.clients[sid].lost is not None)
        assert b.log == [("connect", sid)]
        go_on.set()
        await asyncio.wait_for(client.connected.wait(), 10)
        assert client.answers == [sid, sid]
        assert [what for what, *_ in b.log][:4] == ["connect", "go on", "disconnect", "connect"]
        await a.sio.emit("n", 1, to=sid)
        await eventually(lambda: client.got == [1])


async def test_a_handler_that_does_not_return(nodes, door, monkeypatch):
    """While the connect handler of the last return runs on, the next one gets a new session."""
    monkeypatch.setattr(arrivals, "END_SECONDS", 0.05)
    a, b, _ = nodes
    async with plain_client(door) as client:
        door.cut()
        await left(a, client.sid)
        await a.sio.emit("missed", 1)
        go_on = hold_connects(b)
        first, second = PlainClient(b), PlainClient(b)
        first.token = second.token = client.token
        opening = asyncio.create_task(first.open())
        await eventually(lambda: holds(b, client.sid))
        assert await second.open() is False
        assert second.sid != client.sid
        assert b.manager.stats.recoveries == {"recovered": 1, "busy": 1}
        go_on.set()
        await left(b, client.sid)
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        door.lead(b)
        assert await client.open() is True
        await client.take(("missed", 1))
        await second.close()


async def test_taken_under_way(nodes, door, monkeypatch):
    """Of two connections with one token the one that claimed first is told so, also one that waited."""
    a, b, c = nodes
    async with plain_client(door) as client:
        door.cut()
        await left(a, client.sid)
        await a.sio.emit("missed", 1)
        first, waiting = PlainClient(b), PlainClient(b)
        first.token = waiting.token = client.token
        restore, go_on = b.manager.recovery.arrivals._restore, asyncio.Event()

        async def held(*args):
            await go_on.wait()
            await restore(*args)

        monkeypatch.setattr(b.manager.recovery.arrivals, "_restore", held)
        opening = asyncio.create_task(first.open())
        await eventually(lambda: b.manager.recovery.arrivals.is_returning(client.sid))
        other = asyncio.create_task(waiting.open())
        await eventually(lambda: len(b.manager.recovery.arrivals._arrivals) == 2)
        door.lead(c)
        assert await client.open() is True
        go_on.set()
        assert await asyncio.gather(opening, other) == [False, False]
        assert len({first.sid, waiting.sid, client.sid}) == 3
        assert b.manager.stats.recoveries == {"taken": 2}
        assert c.manager.stats.recoveries == {"recovered": 1}
        await client.take(("missed", 1))
        for one in (client, first, waiting):
            await one.fence(a)
        await first.close()
        await waiting.close()


async def test_a_stranger_asks_meanwhile(nodes, monkeypatch):
    """The former connection ends although somebody with a wrong token claims the session on its node."""
    a, b, c = nodes
    async with plain_client(b) as client:
        keeper, go_on = b.manager.recovery.keeper, asyncio.Event()
        claim = keeper.claim

        async def held(asked):
            await go_on.wait()
            return await claim(asked)

        monkeypatch.setattr(keeper, "claim", held)
        stranger, again = PlainClient(b), PlainClient(c)
        stranger.token, again.token = client.sid + "x" * 20, client.token
        opening = asyncio.create_task(stranger.open())
        await eventually(lambda: b.manager.recovery.arrivals.is_returning(client.sid))
        assert await again.open() is True
        await left(b, client.sid)
        go_on.set()
        assert await opening is False
        await again.fence(a)
        for one in (stranger, again):
            await one.close()


@pytest.mark.parametrize("bus_url", ["local", "redis"], indirect=True)
async def test_cut_off_again_and_again(nodes, http):
    """Clients that are cut off anywhere in their return, to any node, never get a new session."""
    chance = random.Random(7)
    handler = {"seconds": (0, 0, 0.02, 0.1)}

    async def connect(sid, environ, auth=None):
        await asyncio.sleep(chance.choice(handler["seconds"]))

    for node in nodes[:2]:
        node.sio.on("connect", connect)
    clients = [PollingClient(http) for _ in range(10)]

    async def run(client):
        await client.back(nodes[0])
        for cut in range(10):
            await client.come(chance.choice(nodes[:2]))
            await asyncio.wait([asyncio.create_task(client.connected.wait())], timeout=chance.random() / 20)
            await nodes[2].sio.emit("n", (cut, "x" * 20_000))
        return await client.back(chance.choice(nodes[:2]))

    assert all(await asyncio.gather(*map(run, clients)))
    for client in clients:
        client.cut()
        assert set(client.answers) == {client.answers[0]}
    reasons = nodes[0].manager.stats.recoveries + nodes[1].manager.stats.recoveries
    assert set(reasons) <= {"recovered", "taken"}


@pytest.mark.parametrize("bus_url", ["local", "redis"], indirect=True)
@pytest.mark.parametrize("always_connect", [True, False])
async def test_cut_off_while_missed_events_are_read(
    bus_url, prefix, http, monkeypatch, caplog, always_connect
):
    """No error is logged, also when CONNECT is sent before the connect handler runs, and nothing is lost."""
    options = {"recovery_seconds": 30, "server_options": {"always_connect": always_connect}}
    async with three_nodes(bus_url, prefix, **options) as (a, b, c), polling_client(http, a) as client:
        sid = client.answers[0]
        keeper = b.manager.recovery.keeper
        read = keeper.read

        async def cut_and_read(question):
            await b.manager.send_back(b.manager.members.clients[sid].eio_sid)
            return await read(question)

        monkeypatch.setattr(keeper, "read", cut_and_read)
        await a.sio.emit("n", 1, to=sid)
        await client.come(b)
        await left(a, sid)
        await eventually(lambda: b.manager.stats.recoveries["recovered"] == 1)
        await left(b, sid)
        assert await client.back(c)
        await eventually(lambda: client.got == [1])
        called = [what for what, *_ in b.log]
        assert called == ([] if always_connect else ["connect", "disconnect"])
        assert not [record for record in caplog.records if record.levelname == "ERROR"]
