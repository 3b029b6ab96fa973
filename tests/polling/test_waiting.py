"""A poll that waits without a task ends in every way in which one can end."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
import socketio

from socketio_cluster.cluster.http import polling_protocol
from socketio_cluster.manager.host.session import break_off
from tests.cluster.lane_helpers import RawSocket, lane_node
from tests.harness import eventually
from tests.polling.wire import Ways, session, waiting, waits, wire


@pytest.fixture
async def node():
    async with lane_node(short=True) as one:
        yield one


@pytest.fixture
async def client(node):
    async with session(node) as one:
        yield one


def connection(node):
    """The one HTTP connection to a node, as the server has it."""
    (found,) = node.server.server_state.connections
    return found


@contextlib.asynccontextmanager
async def websocket(node, one):
    """A WebSocket of a session that polls."""
    ws = RawSocket(node)
    assert " 101 " in await ws.open(f"&sid={one.sid}")
    try:
        yield ws
    finally:
        ws.drop()


async def poll(node, one):
    """Send a poll that waits."""
    one.send(one.request())
    await waits(node, one)


async def test_a_lost_poll_ends_the_session(node, client):
    """When the connection of a poll ends, its session is over at once."""
    await poll(node, client)
    client.close()
    await eventually(lambda: node.forgotten)
    assert node.reasons == ["transport error"]
    assert not waiting(node)


async def test_a_session_that_ends_without_a_word(node, client):
    """A poll of a session that is closed without a packet is answered all the same."""
    await poll(node, client)
    await break_off(node.sockets[client.sid], "for the test")
    assert (await client.answer())[1] == b"1\r\n6\r\n0\r\n\r\n"
    assert node.forgotten


async def test_an_early_request_waits_for_its_turn(node, client):
    """What a client sends while its poll waits is read after the answer, and in order."""
    await poll(node, client)
    client.send(client.request() + client.request("POST", body=b'42["first"]'))
    client.send(client.request("POST", body=b'42["second"]'))
    await eventually(lambda: connection(node)._kept.endswith(b'42["second"]'))
    assert [entry[0] for entry in node.log] == ["connect"]
    for text in ("one", "two"):
        await node.sio.emit(text, to=client.name)
        assert f'42["{text}"]'.encode() in (await client.answer())[1]
    assert [(await client.answer())[1] for _ in range(2)] == [b"ok", b"ok"]
    await eventually(lambda: [entry[0] for entry in node.log] == ["connect", "first", "second"])


async def test_too_much_behind_a_poll(node, client, monkeypatch):
    """A client that sends very much while its poll waits is not read from until the answer."""
    monkeypatch.setattr(polling_protocol, "KEPT_BYTES", 1000)
    await poll(node, client)
    client.send(client.request("POST", body=b'42["said","' + 2000 * b"x" + b'"]'))
    await eventually(lambda: connection(node).flow.read_paused)
    await node.sio.emit("now", to=client.name)
    assert b'42["now"]' in (await client.answer())[1]
    assert (await client.answer())[1] == b"ok"
    await eventually(lambda: node.log[-1][0] == "said")


async def test_pieces(node, client, monkeypatch):
    """A request may come in any two pieces."""
    ways = Ways(monkeypatch)
    request = client.request()
    for at in range(1, len(request)):
        await node.sio.emit("said", at, to=client.name)
        for piece in (request[:at], request[at:]):
            connection(node).data_received(piece)
        assert f'42["said",{at}]'.encode() in (await client.answer())[1]
    assert ways.short == 0
    await poll(node, client)
    assert ways.short == 1


async def test_an_idle_connection(node):
    """A connection without a request is closed after some seconds, but not while a poll waits on it."""
    node.server.config.timeout_keep_alive = 0.2
    async with session(node) as one:
        await poll(node, one)
        await asyncio.sleep(0.5)
        await node.sio.emit("said", to=one.name)
        assert b'42["said"]' in (await one.answer())[1]
        assert await one.ended()


async def test_empty_lines(node):
    """Empty lines begin no request: a connection on which nothing else comes is closed all the same."""
    node.server.config.timeout_keep_alive = 0.2
    async with session(node) as one, wire(node) as other:
        await node.sio.emit("said", to=one.name)
        for each in (one, other):  # the answer goes the short way, and the general one
            await each.ask()
            each.send(b"\r\n")
        await eventually(lambda: not node.server.server_state.connections)
        assert [await each.ended() for each in (one, other)] == [True, True]


async def test_a_stop(client, node):
    """A connection that is told of the server's stop ends after the answer, which says so."""
    await poll(node, client)
    connection(node).shutdown()
    await node.sio.emit("said", to=client.name)
    fields, body = await client.answer()
    assert b"connection: close" in fields
    assert b'42["said"]' in body
    assert await client.ended()


async def test_a_stop_without_a_poll(node, client):
    """A connection without a request ends at once."""
    connection(node).shutdown()
    assert await client.ended()


async def test_an_upgrade(node, client):
    """A poll that waits gets a NOOP when its client upgrades, and what comes then goes by the WebSocket."""
    await poll(node, client)
    async with websocket(node, client) as ws:
        await ws.say("2probe")
        assert await ws.text() == "3probe"
        assert (await client.answer())[1] == b"1\r\n6\r\n0\r\n\r\n"
        assert (await client.ask())[1] == b"1\r\n6\r\n0\r\n\r\n"
        await ws.say("5")
        await eventually(lambda: node.sockets[client.sid].upgraded)
        await node.sio.emit("said", to=client.name)
        assert await ws.text() == '42["said"]'
        assert (await client.ask())[0][0] == b"HTTP/1.1 400 Bad Request"


async def test_an_upgrade_in_one_piece(node, client):
    """A client that does not wait for the answer to its probe gets the NOOP, too."""
    await poll(node, client)
    async with websocket(node, client) as ws:
        await ws.say("2probe", "5")
        assert await ws.text() == "3probe"
        assert (await client.answer())[1] == b"1\r\n6\r\n0\r\n\r\n"


async def test_one_poll_at_a_time(node, client):
    """A second poll that goes another way ends the session all the same."""
    await poll(node, client)
    async with wire(node, ["Connection: close"], client.sid) as other:
        assert (await other.ask())[0][0] == b"HTTP/1.1 400 Bad Request"
    assert (await client.answer())[1] == b"1\r\n1\r\n0\r\n\r\n"
    await eventually(lambda: node.forgotten)


async def test_a_lost_post(node, client):
    """A POST whose connection ends while its packets are handled is handled to its end."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def connect(sid, environ, auth):
        begun.set()
        await go_on.wait()

    node.sio.on("connect", connect, namespace="/chat")
    async with wire(node, sid=client.sid) as other:
        other.send(other.request("POST", body=b"40/chat,"))
        await begun.wait()
    await eventually(lambda: len(node.server.server_state.connections) == 1)
    await poll(node, client)
    go_on.set()
    assert b"40/chat,{" in (await client.answer())[1]
    assert (await client.ask("POST", body=b"3"))[1] == b"ok"


async def test_a_middleware(monkeypatch):
    """An ASGI middleware before the application sees every request."""
    seen = []

    def wrap(sio):
        app = socketio.ASGIApp(sio)

        async def middleware(scope, receive, send):
            seen.append(scope["method"])
            await app(scope, receive, send)

        return middleware

    async with lane_node(short=True, wrap=wrap) as node, session(node):
        assert seen == ["GET", "POST", "GET"]
