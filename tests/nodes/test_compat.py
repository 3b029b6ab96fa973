"""What python-socketio's server offers goes on working with this client manager."""

from __future__ import annotations

import asyncio

import pytest
import socketio

from tests.bare_sessions import raw_websocket
from tests.harness import Refused, eventually, fence


async def test_sessions(nodes, connect):
    """A client's session keeps what its handlers put there, one per namespace."""
    sio = nodes[1].sio
    one, chat = await connect(nodes[1]), await connect(nodes[1], namespace="/chat")
    await sio.save_session(one.sid, {"name": "Ada"})
    async with sio.session(one.sid) as session:
        session["age"] = 36
    assert await sio.get_session(one.sid) == {"name": "Ada", "age": 36}
    assert await sio.get_session(chat.sid, namespace="/chat") == {}
    assert sio.get_environ(one.sid)["asgi.scope"]["type"] == "websocket"
    assert sio.transport(one.sid) == "websocket"


class Chat(socketio.AsyncNamespace):
    """A class namespace with rooms, broadcasts, and calls to other clients."""

    async def on_connect(self, sid, environ):
        await self.enter_room(sid, "lounge")

    async def on_say(self, sid, words):
        await self.emit("said", words, room="lounge", skip_sid=sid)

    async def on_ask(self, sid, other, words):
        return await self.call("asked", words, to=other, timeout=5)

    async def on_kick(self, sid, other):
        await self.disconnect(other)


async def test_class_namespace(nodes, connect_any):
    """A class namespace emits to, calls and disconnects clients of other nodes."""
    for node in nodes:
        node.sio.register_namespace(Chat("/room"))
    one, other = [await connect_any(node, namespace="/room") for node in nodes[:2]]
    await one.emit("say", "hello")
    assert await other.next("said") == ["hello"]
    assert await one.call("ask", other.sid, b"why") == [b"why"]
    assert await other.next("asked") == [b"why"]
    await fence(nodes[0], one, other, namespace="/room")
    await one.emit("kick", other.sid)
    await asyncio.wait_for(other.gone.wait(), 5)


async def test_catch_all_event(nodes, connect):
    """The catch-all handler gets the events that have no handler of their own, and only those."""
    one = await connect(nodes[1])
    nodes[1].sio.on("named", lambda sid: "own handler")
    assert await one.call("named") == ["own handler"]
    assert await one.call("other", 1, 2) == [1, 2]
    assert nodes[1].log[1:] == [("other", one.sid, 1, 2)]


@pytest.mark.parametrize("server_options", [{"namespaces": "*"}], ids=["any-namespace"])
async def test_catch_all_namespace(nodes, connect_any, server_options):
    """Handlers of the '*' namespace serve every namespace, and emits reach it from other nodes."""
    seen = []
    nodes[1].sio.on("hello", lambda namespace, sid, word: seen.append((namespace, word)), namespace="*")
    made_up, other = await connect_any(nodes[1], namespace="/a"), await connect_any(nodes[2], namespace="/b")
    await made_up.emit("hello", "there")
    await nodes[0].sio.emit("news", 1, namespace="/a")
    assert await made_up.next("news") == [1]
    await fence(nodes[0], made_up, namespace="/a")
    await fence(nodes[0], other, namespace="/b")
    await eventually(lambda: seen == [("/a", "there")])


async def test_two_namespaces_of_one_connection(nodes):
    """One connection has a sid per namespace, and leaving one namespace keeps the other."""
    async with raw_websocket(nodes[1]) as ws:
        await ws.send("40")
        main = (await ws.recv()).split('"')[3]
        await ws.send("40/chat,")
        chat = (await ws.recv()).split('"')[3]
        assert main != chat
        await nodes[0].sio.disconnect(chat, namespace="/chat")
        assert await ws.recv() == "41/chat,"
        await nodes[0].sio.emit("still", to=main)
        assert await ws.recv() == '42["still"]'


async def test_instrument(nodes, connect):
    """The admin UI's namespace hears of clients, their rooms and what is sent to them from other nodes."""
    admin_of = nodes[1].sio.instrument(auth=False, server_stats_interval=0.2)
    try:
        admin = await connect(nodes[1], namespace="/admin")
        one = await connect(nodes[1])
        await nodes[0].sio.enter_room(one.sid, "blue")
        await nodes[0].sio.emit("news", 1, room="blue")
        assert await one.next("news") == [1]
        await one.emit("hello")
        due = {"config", "server_stats", "socket_connected", "room_joined", "event_received"}
        while due:
            event, _ = await asyncio.wait_for(admin.events.get(), 5)
            due.discard(event)
    finally:
        await admin_of.shutdown()
        admin_of.uninstrument()


@pytest.mark.parametrize("server_options", [{"always_connect": True}], ids=["always_connect"])
async def test_always_connect(nodes, server_options):
    """With always_connect the CONNECT packet comes first, then what the handler emits, then the refusal."""

    async def refuse(sid, environ):
        await nodes[1].sio.emit("sorry", to=sid)
        return False

    nodes[1].sio.on("connect", refuse)
    async with raw_websocket(nodes[1]) as ws:
        await ws.send("40")
        assert (await ws.recv()).startswith('40{"sid"')
        assert await ws.recv() == '42["sorry"]'
        assert (await ws.recv()).startswith("41")
    await eventually(lambda: nodes[1].empty)


async def test_ignore_queue(nodes, connect):
    """With ignore_queue an emit stays on the node that makes it."""
    here, there = await connect(nodes[0]), await connect(nodes[1])
    await nodes[0].sio.emit("local", ignore_queue=True)
    assert await here.next("local") == []
    await fence(nodes[0], here, there)


async def test_background_tasks(nodes, connect):
    """A background task of the server emits to clients of other nodes."""
    there = await connect(nodes[2])
    task = nodes[0].sio.start_background_task(nodes[0].sio.emit, "news", "later", to=there.sid)
    await task
    assert await there.next("news") == ["later"]


class Callable:
    """An object that is a handler: what its call returns is a coroutine, but it is no coroutine function."""

    async def __call__(self, sid, word):
        return word.upper()


async def refuse(sid, environ, auth):
    raise socketio.exceptions.ConnectionRefusedError("not you")


async def test_coroutines_of_functions(nodes, connect_any):
    """The coroutine that a handler returns is awaited on every transport, whatever made it."""
    sio, answer = nodes[0].sio, Callable()
    sio.on("object", answer)
    sio.on("lambda", lambda sid, word: answer(sid, word))
    one = await connect_any(nodes[0])
    assert await one.call("object", "a") == ["A"]
    assert await one.call("lambda", "b") == ["B"]
    sio.on("connect", lambda *args: refuse(*args))
    with pytest.raises(Refused, match="not you"):
        await connect_any(nodes[0])
