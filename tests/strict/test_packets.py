"""What comes and goes over a connection is what the official server takes and sends."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
import websockets

from socketio_cluster.cluster.strict import polls
from socketio_cluster.cluster.strict.gate import gate_of
from tests.bare_sessions import RawPolling, raw_websocket
from tests.harness import eventually
from tests.strict.conftest import both_ways

BROKEN = {
    "engine: unknown type": ["9"],
    "engine: no packet": [""],
    "engine: letters": ["hello"],
    "unknown type": ["49"],
    "no number": ["4x"],
    "no JSON": ["40", '42["echo"'],
    "not an array": ["40", '42{"echo":1}'],
    "no name": ["40", "42[]"],
    "a name that is no name": ["40", "42[null]"],
    "a reserved name": ["40", '42["disconnect"]'],
    "NaN": ["40", '42["echo",NaN]'],
    "infinity": ["40", '42["echo",{"a":-Infinity}]'],
    "NaN in an answer": ["40", "431[NaN]"],
    "NaN beside an attachment": ["40", '451-["echo",NaN,{"_placeholder":true,"num":0}]', b"\x00"],
    "CONNECT_ERROR": ["40", '44{"message":"no"}'],
    "ACK that is no array": ["40", "431{}"],
    "DISCONNECT with data": ["40", '41{"a":1}'],
    "no attachments": ["40", '450-["echo"]'],
    "no number of attachments": ["40", '45["echo"]'],
    "eleven attachments": ["40", '4511-["echo"]'],
    "text for an attachment": ["40", '451-["echo",{"_placeholder":true,"num":0}]', '42["echo"]'],
    "an attachment too many": ["40", b"\x00"],
    "a placeholder too many": ["40", '451-["echo",{"_placeholder":true,"num":1}]', b"\x00"],
    "binary of no namespace": ['451-["echo",{"_placeholder":true,"num":0}]', b"\x00"],
}


async def exchange(server, frames):
    """What a new WebSocket gets for these frames until it is closed."""
    got = []
    async with asyncio.timeout(5), raw_websocket(server) as ws:
        for frame in frames:
            await ws.send(frame)
            if frame == "40":
                got.append((await ws.recv())[:3])
        await ws.wait_closed()
        assert ws.close_code != 1006, "cut off rather than closed"
        with contextlib.suppress(websockets.ConnectionClosed):
            got.append(await ws.recv())
    return got


@pytest.mark.parametrize("case", BROKEN)
@both_ways
async def test_broken(node, official, case):
    """Who breaks the protocol is disconnected, with no packet more than from the official server."""
    frames = BROKEN[case]
    ours, theirs = await asyncio.gather(exchange(node, frames), exchange(official, frames))
    assert ours == theirs
    await eventually(lambda: node.empty and not [s for s in node.sio.eio.sockets.values() if not s.closed])


@both_ways
async def test_the_reason(node):
    """The disconnect handler of such a client is told of a transport error."""
    await exchange(node, ["40", "42nonsense"])
    await eventually(lambda: node.empty)
    assert node.log[-1][::2] == ("disconnect", "transport error")


@both_ways
async def test_a_ping_of_a_client(node, official):
    """In this version of the protocol only servers send PING: who sends it is disconnected."""
    assert await exchange(official, ["40", "2"]) == ["40{"]
    assert await exchange(node, ["40", "2"]) == ["40{"]


@both_ways
async def test_ten_attachments(node, official):
    """Ten attachments are taken and sent back."""
    places = ",".join(f'{{"_placeholder":true,"num":{number}}}' for number in range(10))
    values = [bytes([number]) for number in range(10)]
    for server in (node, official):
        async with raw_websocket(server) as ws:
            await ws.send("40")
            await ws.recv()
            for frame in (f'4510-["echo",{places}]', *values):
                await ws.send(frame)
            assert [await ws.recv() for _ in range(11)] == [f'4510-["echo",{places}]', *values]


@pytest.mark.parametrize("transport", ["websocket", "polling"])
@both_ways
async def test_unknown_namespace(node, official, http, transport):
    """A namespace that is not there is refused in the official server's words."""
    for server in (node, official):
        if transport == "websocket":
            async with raw_websocket(server) as ws:
                await ws.send("40/nowhere,")
                got = [await ws.recv()]
        else:
            session = RawPolling(http, server)
            await session.open()
            await session.post("40/nowhere,")
            got = await session.get()
        assert got == ['44/nowhere,{"message":"Invalid namespace"}']


@pytest.mark.parametrize("connect_seconds", [1])
@both_ways
async def test_without_a_namespace(node, impatient):
    """Who joins no namespace within the time is closed, who joins one stays."""
    async with raw_websocket(node) as joined:
        await joined.send("40")
        await joined.recv()
        for server in (node, impatient):
            assert await exchange(server, []) == []
        await joined.send('42["echo",1]')
        assert await joined.recv() == '42["echo",1]'
    await eventually(lambda: node.empty)


@pytest.mark.parametrize("connect_seconds", [1])
async def test_polling_without_a_namespace(node, impatient, http):
    """The poll of a client that joins no namespace gets CLOSE when the time is over."""
    for server in (node, impatient):
        session = RawPolling(http, server)
        await session.open()
        assert await asyncio.wait_for(session.get(), 5) == ["1"]


@both_ways
async def test_no_noop_after_an_upgrade(node, official, http):
    """A NOOP that was to end a poll is not sent over the WebSocket to which the client has changed."""
    for server in (node, official):
        session = RawPolling(http, server)
        await session.open()
        url = session.url.replace("http:", "ws:").replace("polling", "websocket")
        async with websockets.connect(url, proxy=None, ping_interval=None) as ws:
            await ws.send("2probe")
            assert await ws.recv() == "3probe"
            await ws.send("5")
            await ws.send("40")
            assert (await ws.recv()).startswith("40{")
            await ws.send('42["echo"]')
            assert await ws.recv() == '42["echo"]'


@pytest.mark.parametrize("early", [True, False])
@both_ways
async def test_polls_while_a_client_upgrades(node, http, early, monkeypatch):
    """A poll ends when the probe is answered, and at once if its client has not read that yet."""
    monkeypatch.setattr(polls, "NOOP_SECONDS", 20)
    session, waiting = RawPolling(http, node), gate_of(node.manager.host).waiting
    await session.open()
    url = session.url.replace("http:", "ws:").replace("polling", "websocket")
    async with contextlib.AsyncExitStack() as stack:
        poll = None if early else asyncio.create_task(session.get())
        await eventually(lambda: early or waiting)
        ws = await stack.enter_async_context(websockets.connect(url, proxy=None, ping_interval=None))
        (socket,) = node.sio.eio.sockets.values()
        await eventually(lambda: socket.upgrading)
        poll = poll or asyncio.create_task(session.get())
        await eventually(lambda: waiting)
        await ws.send("2probe")
        assert await ws.recv() == "3probe"
        assert await asyncio.wait_for(poll, 5) == ["6"]
        if not early:
            assert await asyncio.wait_for(session.get(), 5) == ["6"]
        await ws.send("5")
        await ws.send("40")
        assert (await ws.recv()).startswith("40{")


@both_ways
async def test_an_upgrade_that_fails(node, official, http):
    """A WebSocket that does not go on with the upgrade leaves the session to polling."""
    for server in (node, official):
        session = RawPolling(http, server)
        await session.open()
        url = session.url.replace("http:", "ws:").replace("polling", "websocket")
        for frames in ([], ["nonsense"], ["2probe", "4"]):
            async with websockets.connect(url, proxy=None, ping_interval=None) as ws:
                for frame in frames:
                    await ws.send(frame)
        if server is node:
            await eventually(lambda: not any(one.upgrading for one in node.sio.eio.sockets.values()))
        await session.post("40")
        while (got := await session.get()) == ["6"]:
            pass
        assert got[0].startswith("40{")
