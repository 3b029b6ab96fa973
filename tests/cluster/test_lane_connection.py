"""A connection on the lane lives and ends as RFC 6455, Engine.IO and python-socketio say."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from socketio_cluster.cluster.lane.frames import BINARY, CLOSE, PING, PONG, TEXT
from tests.bare_sessions import raw_polling
from tests.cluster.lane_helpers import client_frame, lane_node, raw
from tests.harness import eventually

SHORT_PING = {"ping_interval": 0.3, "ping_timeout": 0.3}


@pytest.fixture
async def node():
    async with lane_node() as one:
        yield one


async def alive(one):
    """Check that this client is served: an event comes back."""
    await one.say('427["alive",1]')
    assert await one.text() == "437[1]"


async def test_on_the_lane(node):
    """A websocket client of the test node is on the lane, from its first packet on."""
    async with raw(node, namespace=False) as one:
        assert list(node.hooks.lanes) == list(node.sockets) == [one.eio_sid]
    await eventually(lambda: node.forgotten)


async def test_pong(node):
    """A ping frame is answered with its payload, also between the fragments of a message."""
    async with raw(node) as one:
        for payload in (b"", b"x", bytes(125)):
            await one.send(client_frame(PING, payload))
            assert await one.frame() == (PONG, payload)
        await one.send(client_frame(TEXT, b'421["ev', fin=False), client_frame(PING, b"p"))
        assert await one.frame() == (PONG, b"p")
        await one.send(client_frame(PONG, b"nobody asked"), client_frame(0, b'ent"]'))
        assert await one.text() == "431[]"


@pytest.mark.parametrize(("payload", "code"), [(b"\x03\xe8", 1000), (b"\x03\xe9bye", 1001), (b"", 1000)])
async def test_close_is_echoed(node, payload, code):
    """A close frame is answered with its code, nothing behind it is looked at, and the client is gone."""
    async with raw(node) as one:
        late = client_frame(TEXT, b'42["late"]'), client_frame(PING, b"late"), client_frame(CLOSE, b"x")
        await one.send(client_frame(CLOSE, payload), *late)
        assert await one.closed() == code
        await eventually(lambda: node.forgotten)
    assert node.log[1:] == [("disconnect", one.sid, "transport close")]


BROKEN = {
    "unmasked": (b"\x81\x02hi", 1002),
    "reserved bit": (client_frame(TEXT, b"x", first=0xC1), 1002),
    "unknown opcode": (client_frame(3, b""), 1002),
    "long ping": (client_frame(PING, bytes(126)), 1002),
    "continuation alone": (client_frame(0, b"x"), 1002),
    "close code": (client_frame(CLOSE, b"\x03\xee"), 1002),
    "close reason": (client_frame(CLOSE, b"\x03\xe8\xff"), 1007),
    "text": (client_frame(TEXT, b'42["\xff"]'), 1007),
    "text in fragments": (client_frame(TEXT, b'42["\xc3', fin=False) + client_frame(0, b'"]'), 1007),
    "too long": (client_frame(TEXT, bytes(2001))[:8], 1009),
    "too long in fragments": (
        client_frame(TEXT, bytes(1500), fin=False) + client_frame(0, bytes(501))[:8],
        1009,
    ),
}


@pytest.mark.parametrize(("wire", "code"), BROKEN.values(), ids=BROKEN)
async def test_frame_errors(wire, code):
    """A client that breaks the protocol is closed with the code for it, and harms no other."""
    async with lane_node(server_options={"max_http_buffer_size": 2000}) as node:
        async with raw(node) as one, raw(node) as other:
            await one.send(client_frame(TEXT, b'421["before"]') + wire)
            assert await one.closed() == code
            reason = "payload too large" if code == 1009 else "transport close"
            await eventually(lambda: node.reasons == [reason])
            await alive(other)
            assert ("before", one.sid) in node.log
        await eventually(lambda: node.forgotten)


async def test_character_across_fragments(node):
    """A character that is cut by a fragment is read whole."""
    text = '421["e","€"]'.encode()
    async with raw(node) as one:
        await one.send(client_frame(TEXT, text[:10], fin=False), client_frame(0, text[10:]))
        assert await one.text() == r'431["\u20ac"]'


@pytest.mark.parametrize("lane", [True, False], ids=["lane", "ordinary"])
@pytest.mark.parametrize("text", ["", "x", "9", "²", "2", "2probe"], ids=ascii)
async def test_malformed_engineio(text, lane):
    """An Engine.IO packet that no client sends ends its connection, cleanly; others do not notice."""
    async with lane_node(lane) as node:
        async with raw(node) as one, raw(node) as other:
            await one.say(text)
            assert await one.closed() == 1000
            await eventually(lambda: len(node.reasons) == 1)
            await alive(other)
        await eventually(lambda: node.forgotten)
    assert node.reasons[0] == "transport error"


@pytest.mark.parametrize("lane", [True, False], ids=["lane", "ordinary"])
@pytest.mark.parametrize("text", ["0", "3", "3probe", "5", "6"])
async def test_misplaced_engineio(text, lane):
    """An Engine.IO packet that has no effect here is ignored, and not answered either."""
    async with lane_node(lane) as node, raw(node) as one:
        await one.say(text)
        await alive(one)


MALFORMED = [
    *("4", "4x", "49", '42["a"', '42{"a":1}', "42[]", "42", "42" + "[" * 50_000, "42" + "9" * 5000 + '["a"]'),
    *("43", "44", '450-["x"]', "45", '459999999999-["x"]', '42["connect"]', "bAAAA", "b!!!"),
    b"not announced",
]


@pytest.mark.parametrize("lane", [True, False], ids=["lane", "ordinary"])
@pytest.mark.parametrize("packet", MALFORMED, ids=lambda packet: ascii(packet[:20]))
async def test_malformed_socketio(packet, lane):
    """A Socket.IO packet that cannot be read ends its connection, on the lane as on the ordinary path."""
    async with lane_node(lane) as node:
        async with raw(node) as one, raw(node) as other:
            data = packet if isinstance(packet, bytes) else packet.encode()
            await one.send(client_frame(BINARY if data is packet else TEXT, data))
            assert await one.closed() == 1000
            await eventually(lambda: node.reasons == ["transport error"])
            await alive(other)
        await eventually(lambda: node.forgotten)


@pytest.mark.parametrize(
    "packet", ['42/nope,["a"]', "4399[]", '42["a",{"_placeholder":true,"num":0}]', "43[]"]
)
async def test_misplaced_socketio(node, packet):
    """A Socket.IO packet that means nothing here is ignored."""
    async with raw(node) as one:
        await one.say(packet)
        await alive(one)


async def test_client_disconnects(node):
    """Socket.IO's and Engine.IO's own goodbyes are a 'client disconnect', and nothing is left."""
    async with raw(node) as one, raw(node) as other:
        await one.say("41")
        await eventually(lambda: node.reasons == ["client disconnect"])
        await one.say("1")
        await other.say("1")
        assert await one.closed() == 1000
        assert await other.closed() == 1000
        await eventually(lambda: node.forgotten)
    assert node.reasons == ["client disconnect"] * 2


async def test_server_disconnects(node):
    """A client that the server disconnects gets the packet for it."""
    async with raw(node) as one:
        await node.sio.disconnect(one.sid)
        assert await one.text() == "41"
        assert node.reasons == ["server disconnect"]


async def test_shutdown(node):
    """A server that stops closes its clients with 1012, what was emitted before going first."""
    async with raw(node) as one:
        await node.sio.emit("last")
        node.server.should_exit = True
        assert await one.text() == '42["last"]'
        assert await one.closed() == 1012


async def test_ping():
    """The server pings at its interval, a client that answers stays, one that does not times out."""
    async with lane_node(server_options=SHORT_PING) as node:
        async with raw(node) as one, raw(node) as silent:
            pings = 0
            while not node.reasons or pings < 3:
                assert await one.text() == "2"
                await one.say("3")
                pings += 1
            assert node.log[2:] == [("disconnect", silent.sid, "ping timeout")]
            assert await silent.text() == "2"
            assert await silent.text() == "1"
            assert await silent.closed() == 1000
            await alive(one)
        await eventually(lambda: node.forgotten)


async def test_events_are_no_pong():
    """A client that sends events but no pong times out, as on the ordinary path."""
    async with lane_node(server_options=SHORT_PING) as node:
        async with raw(node) as one:
            with contextlib.suppress(ConnectionError):
                while True:
                    await one.say('42["busy"]')
                    await asyncio.sleep(0.05)
            assert node.reasons == ["ping timeout"]


async def test_idle_connections_have_no_task():
    """200 idle connections have no task and no timer of their own; all are pinged by one clock."""
    async with lane_node(server_options={"ping_interval": 0.5, "ping_timeout": 5}) as node:
        async with contextlib.AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(raw(node))]
            loop = asyncio.get_running_loop()
            scheduled = getattr(loop, "_scheduled", ())  # uvloop does not show its timers
            tasks, timers = len(asyncio.all_tasks()), len(scheduled)
            clients += [await stack.enter_async_context(raw(node)) for _ in range(199)]
            await eventually(lambda: len(asyncio.all_tasks()) <= tasks)
            # The waits of this test itself leave cancelled timers behind.
            assert sum(not timer.cancelled() for timer in scheduled) <= timers
            for one in clients:
                assert await one.text() == "2"
                await one.say("3")
        await eventually(lambda: node.forgotten, 10)


async def test_closed_polling_session_is_forgotten():
    """A polling client that says goodbye and never polls again is forgotten; so is one that only vanishes."""
    async with lane_node(server_options=SHORT_PING) as node:
        async with raw_polling(node) as leaves, raw_polling(node):
            assert await leaves.post("40") == 200
            assert await leaves.post("1") == 200
            assert node.reasons == ["client disconnect"]
            await eventually(lambda: node.forgotten)


async def test_packets_wait_for_the_one_before(node):
    """What a client sends behind a CONNECT is handled after its handler, in order, even in one piece."""
    began, release = asyncio.Event(), asyncio.Event()

    @node.sio.on("connect")
    async def connect(sid, environ):
        began.set()
        await release.wait()

    async with raw(node, namespace=False) as one:
        texts = ["40", '421["a"]', '422["b"]', "40/chat,", '42/chat,3["c"]', '424["d"]']
        wires = [client_frame(TEXT, text.encode()) for text in texts]
        await one.send(*wires, client_frame(PING, b"behind"))
        await began.wait()
        assert not [entry for entry in node.log if entry[0] in "abcd"]
        release.set()
        frames = [await one.frame() for _ in range(7)]
    assert (PONG, b"behind") in frames
    got = [payload.decode()[:8] for opcode, payload in frames if opcode == TEXT]
    assert got == ['40{"sid"', "431[]", "432[]", "40/chat,", "43/chat,", "434[]"]
