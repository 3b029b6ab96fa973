"""How a plain client gets in, or is told why not."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
import socketio
import websockets
from socketio.exceptions import ConnectionRefusedError as Refusal

from socketio_cluster import ClusterManager, PlainWebSockets
from tests.harness import eventually
from tests.plain.plain import bare, plain, plain_nodes


def refusing(node):
    """Let a node refuse everybody."""

    def connect(sid, environ, auth):
        node.log.append(auth)
        raise Refusal("no seats left", {"seats": 0})

    node.sio.on("connect", connect)


async def test_refusal_says_why(local_url, prefix):
    """Who is refused gets the handler's words and data, and a close code of its own."""
    async with plain_nodes(local_url, prefix, count=1, configure=refusing) as [node]:
        async with bare(node) as one:
            refusal = {"message": "no seats left", "data": {"seats": 0}}
            assert await one.hear() == {"event": "connect_error", "data": refusal}
            assert await one.closed() == (4001, "no seats left")
        await eventually(lambda: node.empty and not node.sio.eio.sockets)


async def test_auth_is_the_first_message(local_url, prefix):
    """With ``auth`` the connect handler gets the data of the client's connect event."""
    seen = []

    def asking(node):
        node.sio.on("connect", lambda sid, environ, auth: seen.append(auth))

    async with plain_nodes(local_url, prefix, count=1, configure=asking, endpoint={"auth": True}) as [node]:
        async with bare(node) as one:
            await one.say(event="connect", data={"token": "abc"})
            assert (await one.hear())["event"] == "connect"
            assert seen == [{"token": "abc"}]
            assert "the server's own" in (await one.ask(event="connect"))["error"]
        async with bare(node) as two:
            await two.say(event="say", data="hello")
            assert "first message must be a connect event" in (await two.hear())["error"]
            assert await two.closed() == (4001, "no connect event")


async def test_silence_instead_of_auth_ends(local_url, prefix):
    """Who does not say who it is within ``connect_seconds`` is disconnected."""
    options = {"endpoint": {"auth": True}, "connect_seconds": 0.2}
    async with plain_nodes(local_url, prefix, count=1, **options) as [node], bare(node) as one:
        assert await one.closed() == (1000, "server disconnect")
        await eventually(lambda: not node.sio.eio.sockets)


async def test_emits_during_connect_come_after_it(local_url, prefix):
    """What is emitted to a client while its connect handler runs follows its welcome."""

    def greeting(node):
        async def connect(sid, environ, auth):
            await node.sio.emit("hello", to=sid)

        node.sio.on("connect", connect)

    async with plain_nodes(local_url, prefix, count=1, configure=greeting) as [node], plain(node) as one:
        assert await one.hear() == {"event": "hello"}


async def test_other_paths_are_the_other_app(local_url, prefix):
    """Only the endpoint's own path is a plain WebSocket; plain HTTP there is told so."""
    async with plain_nodes(local_url, prefix, count=1) as [node], aiohttp.ClientSession() as http:
        async with http.get(f"{node.url}/ws") as answer:
            assert answer.status == 426
            assert "ws://" in await answer.text()
        async with http.get(f"{node.url}/socket.io/?EIO=4&transport=polling") as answer:
            assert answer.status == 200
        async with plain(node, "/ws/?a=b"):
            pass


@pytest.mark.parametrize(("origin", "status"), [("http://evil.example", 403), (None, 101), ("own", 101)])
async def test_origin_is_checked_as_for_socketio(local_url, prefix, origin, status):
    """A page of another origin is refused unless ``cors_allowed_origins`` says otherwise."""
    async with plain_nodes(local_url, prefix, count=1) as [node]:
        origin = node.url if origin == "own" else origin
        try:
            async with bare(node, origin=origin) as one:
                assert (await one.hear())["event"] == "connect"
                assert status == 101
        except websockets.InvalidStatus as error:
            assert error.response.status_code == status


async def test_no_http_request_reaches_a_plain_session(local_url, prefix):
    """The session of a plain client cannot be polled, whoever finds out its id."""
    async with (
        plain_nodes(local_url, prefix, count=1) as [node],
        plain(node),
        aiohttp.ClientSession() as http,
    ):
        [eio_sid] = node.sio.eio.sockets
        for method in (http.get, http.post):
            async with method(f"{node.url}/socket.io/?EIO=4&transport=polling&sid={eio_sid}") as answer:
                assert answer.status == 400


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"slow": "wait"}, "close, skip"),
        ({"path": "ws"}, "start with a slash"),
        ({"high_water": 10, "low_water": 10}, "10 is not below 10"),
    ],
)
def test_settings_that_cannot_work(options, words):
    """A setting that cannot work is named with what to write instead."""
    sio = socketio.AsyncServer(async_mode="asgi", client_manager=ClusterManager())
    with pytest.raises(ValueError, match=words):
        PlainWebSockets(sio, **options)


def test_another_manager_is_refused():
    """A server without a cluster manager is refused with what it needs."""
    with pytest.raises(TypeError, match="ClusterManager"):
        PlainWebSockets(socketio.AsyncServer(async_mode="asgi"))


async def test_node_stops(local_url, prefix):
    """A node that stops closes its plain clients with 1012, and its handlers hear of it."""
    async with plain_nodes(local_url, prefix, count=1) as [node], plain(node) as one:
        await asyncio.gather(node.stop(), one.closed())
        assert one.ws.close_code == 1012
        assert node.log[-1] == ("disconnect", one.sid, "transport close")
        await node.start()


async def test_subprotocols(local_url, prefix):
    """Of the subprotocols that a client offers the first is chosen."""
    async with plain_nodes(local_url, prefix, count=1) as [node]:
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(f"{node.url}/ws", protocols=["a", "b"]) as ws,
        ):
            assert ws.protocol == "a"
