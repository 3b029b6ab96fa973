"""Claims that get nothing: their clients are told that they are new, and nothing comes again."""

from __future__ import annotations

import asyncio
import json

import pytest
import socketio
import websockets

from socketio_cluster import PlainWebSockets
from socketio_cluster.cluster.metrics.clients import read_clients
from tests.harness import SECONDS, eventually, three_nodes
from tests.recovery.clients import left
from tests.recovery.plain_clients import PlainClient, open_endpoint, plain_client
from tests.recovery.python_clients import own_client


@pytest.fixture(params=["local"])
def bus_url(request):
    """One bus: what a claim says does not depend on it."""
    return request.getfixturevalue(f"{request.param}_url")


def open_endpoints(node):
    """Plain clients at /ws, in the namespace /chat at /chat, and at /auth with an auth of their own."""
    open_endpoint(node)
    node.app = PlainWebSockets(node.sio, node.app, path="/chat", namespace="/chat")
    node.app = PlainWebSockets(node.sio, node.app, path="/auth", auth=True)


@pytest.fixture
async def nodes(bus_url, prefix, recovery_seconds):
    async with three_nodes(
        bus_url, prefix, configure=open_endpoints, recovery_seconds=recovery_seconds
    ) as three:
        yield three


async def missing(door, nodes, client):
    """Cut a client off, let it miss an event, and let it come to the second node."""
    a, b, _ = nodes
    door.cut()
    await left(a, client.sid)
    await b.sio.emit("missed", 1)
    door.lead(b)


WRONG_IDS = {
    "empty": ("", "offset"),
    "text": ("hello", "offset"),
    "negative": ("{epoch}-5", "offset"),
    "too long": ("{epoch}" + "f" * 15, "offset"),
    "half of it": ("{epoch}", "offset"),
    "in another alphabet": ("{epoch}\u0663", "offset"),
    "of the future": ("{epoch}" + "f" * 14, "epoch"),
    "of another epoch": ("foreig1", "epoch"),
    "old": ("{epoch}0", None),
}


@pytest.mark.parametrize(("wrong", "reason"), WRONG_IDS.values(), ids=WRONG_IDS)
async def test_wrong_ids(nodes, door, wrong, reason):
    """A text that is no id of this cluster gets a new session; too old a one gets no more than was missed."""
    async with plain_client(door) as client:
        sid, token = client.sid, client.token
        await missing(door, nodes, client)
        epoch = nodes[0].manager.recovery.follower.order.epoch
        assert await client.open(id=wrong.format(epoch=epoch)) is (reason is None)
        assert (client.sid == sid, client.token == token) == ((reason is None),) * 2
        if reason is None:
            await client.take(("missed", 1))
        await client.fence(nodes[0])
        assert nodes[1].manager.stats.recoveries == {reason or "recovered": 1}


@pytest.mark.parametrize("wrong", ["{epoch}" + "f" * 14, "foreig1", "hello"])
async def test_a_wrong_id_costs_nobody_the_session(nodes, door, wrong):
    """Who comes with the right token and a wrong id is a new client; with the right one it is recovered."""
    async with plain_client(door) as client:
        await missing(door, nodes, client)
        other = PlainClient(nodes[2])
        epoch = nodes[0].manager.recovery.follower.order.epoch
        assert await other.open(token=client.token, id=wrong.format(epoch=epoch)) is False
        assert other.sid != client.sid
        await other.close()
        assert await client.open() is True
        await client.take(("missed", 1))
        await client.fence(nodes[0])


@pytest.mark.parametrize("field", ["id", "token"])
@pytest.mark.parametrize("value", [-1, 2**70, 1.5, True, ["x"], {"x": 1}])
async def test_values_that_are_no_texts(nodes, door, field, value):
    """They are refused with a sentence, and the client may say it better over the same connection."""
    client = PlainClient(door)
    url = nodes[0].url.replace("http", "ws") + "/ws?recovery=1"
    async with websockets.connect(url, proxy=None) as client.ws:
        await client.say(**{"event": "connect", field: value})
        assert await client.hear() == {"error": f"{field} is the text that the server gave"}
        await client.say(event="connect")
        assert (await client.hear())["data"]["recovered"] is False


async def test_where_a_claim_does_not_belong(nodes):
    """An id or a token in another event, and a token where nobody asked for recovery, are refused."""
    client = PlainClient(None)
    url = nodes[0].url.replace("http", "ws")
    async with websockets.connect(url + "/ws", proxy=None) as client.ws:
        assert (await client.hear())["data"].keys() == {"sid"}
        for field in ("id", "token"):
            await client.say(**{"event": "say", field: "x", "ack": 3})
            assert await client.hear() == {"error": "id and token belong into the connect event", "ack": 3}
    async with websockets.connect(url + "/auth", proxy=None) as client.ws:
        await client.say(event="connect", token="x")
        told = "to come back, connect to the same address with ?recovery=1"
        assert await client.hear() == {"error": told}
    async with websockets.connect(url + "/ws?recovery=1", proxy=None) as client.ws:
        await client.say(event="say", data=1)
        assert "first message must be a connect event" in (await client.hear())["error"]


async def test_auth_beside_the_claim(nodes, door):
    """The connect handler gets the data of the connect event, and neither token nor id."""
    seen = []
    for node in nodes:
        node.sio.on("connect", lambda sid, environ, auth: seen.append((auth, environ["socketio.recovered"])))
    client = PlainClient(door, "/auth")
    assert await client.open(data={"pid": "mine"}) is False
    await missing(door, nodes, client)
    assert await client.open(data={"pid": "mine"}) is True
    assert seen == [({"pid": "mine"}, False), ({"pid": "mine"}, True)]
    await client.take(("missed", 1))
    await client.close()


async def test_another_namespace(nodes, door):
    """A token is good in its own namespace only, and still is afterwards."""
    async with plain_client(door) as client:
        await missing(door, nodes, client)
        thief = PlainClient(nodes[2], "/chat")
        assert await thief.open(token=client.token, id=client.id) is False
        await thief.close()
        assert await client.open() is True
        await client.take(("missed", 1))
        await client.fence(nodes[0])


async def test_an_invented_secret(nodes, door):
    """A sid, which is public, with another secret gets nothing, and takes nothing from its client."""
    async with plain_client(door) as client:
        await missing(door, nodes, client)
        for token in (client.sid + "x" * 20, client.sid, "x" * 40, "", "x" * 10_000):
            thief = PlainClient(nodes[2])
            assert await thief.open(token=token, id=client.id) is False
            assert thief.sid != client.sid
            await thief.fence(nodes[0])
            await thief.close()
        assert await client.open() is True
        await client.take(("missed", 1))


async def test_a_refused_claim(nodes, door):
    """A stolen token that the connect handler refuses gets nothing of what was missed."""

    def connect(sid, environ, auth):
        if environ["socketio.recovered"]:
            raise socketio.exceptions.ConnectionRefusedError("not you")

    async with plain_client(door) as client:
        nodes[1].sio.on("connect", connect)
        await missing(door, nodes, client)
        url = door.url.replace("http", "ws") + "/ws?recovery=1"
        async with websockets.connect(url, proxy=None) as ws:
            await ws.send(json.dumps({"event": "connect", "token": client.token, "id": client.id}))
            assert json.loads(await ws.recv()) == {"event": "connect_error", "data": {"message": "not you"}}
            with pytest.raises(websockets.ConnectionClosed):
                await ws.recv()
        client.close = lambda: asyncio.sleep(0)


@pytest.mark.parametrize("kind", ["plain", "AsyncClient", "Client"])
async def test_two_claims_at_once(nodes, door, kind):
    """Of two connections that come with one token to two nodes one has the session, alone."""
    a, b, c = nodes
    maker = plain_client(door) if kind == "plain" else own_client(kind, door, reconnection=False)
    async with maker as client:
        sid = client.sid
        token = client.token if kind == "plain" else client.pid
        door.cut()
        await left(a, sid)
        await a.sio.emit("missed", 1)
        claims = [PlainClient(node) for node in (b, c)]
        answers = await asyncio.gather(*(claim.open(token=token) for claim in claims), return_exceptions=True)
        at = [node.manager.members for node in (b, c)]
        await eventually(lambda: sum(members.find(sid, "/") is not None for members in at) == 1)
        winner = b if b.manager.members.find(sid, "/") else c
        assert winner.manager.recovered(sid)
        assert True in answers
        for claim, answer in zip(claims, answers, strict=True):
            if answer is True and claim.door is winner:
                await claim.take(("missed", 1))
                await claim.fence(a)
            elif answer is False:
                assert claim.sid != sid
                await claim.fence(a)
        for claim in claims:
            await claim.close()
        client.close = lambda: asyncio.sleep(0)


async def test_nobody_sees_the_token(nodes, door, caplog):
    """The secret in a token is in no log, no handler and no metric."""
    for name in (None, "engineio.server", "socketio.server"):
        caplog.set_level("DEBUG", logger=name)
    seen = []
    for node in nodes:
        node.sio.on("connect", lambda sid, environ, auth: seen.append((environ, auth)))
    async with plain_client(door) as client:
        secret = client.token.removeprefix(client.sid)
        assert len(secret) == 20
        await missing(door, nodes, client)
        assert await client.open() is True
        await client.take(("missed", 1))
    managers = [node.manager for node in nodes]
    for what in (caplog.text, repr(seen), repr([node.log for node in nodes]), repr(read_clients(managers))):
        assert what
        assert secret not in what


@pytest.mark.parametrize("recovery_seconds", [1])
async def test_too_late(nodes, door, recovery_seconds):
    """Clients that are away for longer than they may be are new ones."""
    async with plain_client(door) as client, own_client("AsyncClient", door) as other:
        sids = [client.sid, other.sid]
        await missing(door, nodes, client)
        door.lead(None)
        await left(nodes[0], other.sid)
        await asyncio.sleep(recovery_seconds + 0.5)
        door.lead(nodes[1])
        assert await client.open() is False
        assert await other.came_back() is False
        assert {client.sid, other.sid}.isdisjoint(sids)
        await client.fence(nodes[0])
        await other.fence(nodes[0])
        assert nodes[1].manager.stats.recoveries == {"unknown": 2}


@pytest.mark.parametrize("recovery_seconds", [None])
async def test_without_recovery(nodes, door, recovery_seconds):
    """A server without recovery says that each client is new, gives no token, and sends no ids."""
    client = PlainClient(door)
    for claim in ({}, {"token": "x" * 40, "id": "abcdef1"}):
        assert await client.open(**claim) is False
        assert client.token is None
        await nodes[1].sio.emit("n", 1)
        async with asyncio.timeout(SECONDS):
            assert json.loads(await client.ws.recv()) == {"event": "n", "data": 1}
        await client.close()
