"""What a Flask-SocketIO application is written with works, and reaches clients of other nodes."""

from __future__ import annotations

import asyncio
import threading

import aiohttp
import pytest
from flask import request, session
from flask_socketio import Namespace, close_room, disconnect, emit, join_room, leave_room, rooms, send
from socketio.exceptions import TimeoutError as NoAnswer

from socketio_cluster import Emitter, SettingError, SyncClusterManager
from socketio_cluster.manager.sync.green import check_threads
from tests.flask.threaded import ThreadedNode, mixed
from tests.harness import Node, Refused, client, eventually, fence


class Bare(ThreadedNode):
    """A Flask node without handlers; the tests give it theirs."""

    def _hear(self):
        pass


@pytest.fixture
async def nodes(redis_url, prefix):
    """A Flask application without handlers, and an asyncio node."""
    async with mixed((Bare, Node), redis_url, prefix) as both:
        yield both


async def test_rooms_and_broadcasts(nodes):
    """join_room, leave_room, close_room, rooms, send and emit mean on every node what they mean on one."""
    app = nodes[0].socketio

    @app.on("act")
    def act(what, *arguments):
        match what:
            case "join":
                join_room(*arguments)
            case "leave":
                leave_room(*arguments)
            case "close":
                close_room(*arguments)
            case "say":
                send(arguments[1], to=arguments[0])
            case "json":
                send({"a": 1}, json=True)
            case "everybody":
                emit("news", arguments[0], broadcast=True, include_self=False)
            case "me":
                emit("news", *arguments)
        return sorted(rooms()), request.sid

    async with client(nodes[0]) as here, client(nodes[1]) as there:
        assert await here.call("act", "join", "tea") == [sorted([here.sid, "tea"]), here.sid]
        await here.call("act", "join", "tea", there.sid)
        await here.call("act", "say", "tea", "hello")
        for one in (here, there):
            assert await one.next("message") == ["hello"]
        await here.call("act", "leave", "tea")
        await here.call("act", "say", "tea", "bye")
        assert await there.next("message") == ["bye"]
        await here.call("act", "close", "tea")
        await here.call("act", "say", "tea", "never")
        await here.call("act", "everybody", 1)
        assert await there.next("news") == [1]
        await here.call("act", "me", 2)
        assert await here.next("news") == [2]
        await here.call("act", "json")
        assert await here.next("json") == [{"a": 1}]
        await fence(nodes[0], here, there)


async def test_outside_of_events(nodes):
    """A route, a thread and a background task emit through the application, a route through an Emitter."""
    app, flask = nodes[0].socketio, nodes[0].app
    options = nodes[0].manager.options

    @flask.post("/<way>")
    def post(way):
        match way:
            case "route":
                app.emit("way", way)
            case "thread":
                threading.Thread(target=app.emit, args=("way", way)).start()
            case "task":
                app.start_background_task(app.emit, "way", way)
            case "emitter":
                with Emitter(options.url, prefix=options.prefix) as emitter:
                    emitter.emit("way", way)
        return "", 204

    async with client(nodes[0]) as here, client(nodes[1]) as there, aiohttp.ClientSession() as http:
        for way in ("route", "thread", "task", "emitter"):
            async with http.post(f"{nodes[0].url}/{way}") as response:
                assert response.status == 204
            for one in (here, there):
                assert await one.next("way") == [way]


async def test_errors(nodes):
    """What an error handler returns is the answer; each namespace has its own, the others the default."""
    app = nodes[0].socketio
    app.on_error("/chat")(lambda error: f"chat: {error}")
    app.on_error_default(lambda error: f"default: {error}")
    for namespace in ("/chat", "/"):
        app.on("divide", namespace=namespace)(lambda number: 1 / number)
    async with client(nodes[0]) as one, client(nodes[0], namespace="/chat") as chat:
        assert await one.call("divide", 0) == ["default: division by zero"]
        assert await chat.call("divide", 0) == ["chat: division by zero"]
        assert await one.call("divide", 1) == [1]


async def test_class_namespaces(nodes):
    """A class namespace serves its namespace, refuses who it will, and knows the session of each client."""

    class Chat(Namespace):
        def on_connect(self, auth):
            if not auth:
                return False
            session["name"] = auth["name"]

        def on_who(self):
            emit("them", session["name"], broadcast=True, include_self=False)
            return session["name"], request.namespace

        def on_go(self):
            disconnect()

        def on_disconnect(self, reason):
            emit("left", session["name"], broadcast=True, include_self=False)

    nodes[0].socketio.on_namespace(Chat("/chat"))
    async with client(nodes[1], namespace="/chat") as there:
        with pytest.raises(Refused):
            async with client(nodes[0], namespace="/chat"):
                pass
        async with client(nodes[0], namespace="/chat", auth={"name": "Ada"}) as here:
            assert await here.call("who") == ["Ada", "/chat"]
            assert await there.next("them") == ["Ada"]
            await here.emit("go")
            await eventually(here.gone.is_set)
        assert await there.next("left") == ["Ada"]


async def test_call_in_a_handler(nodes):
    """A handler may wait for the answer of a client of another node, and of its own."""
    app = nodes[0].socketio

    @app.on("ask")
    def ask(sid):
        return app.call("question", 6, to=sid), app.call("question", 7, to=request.sid)

    async with client(nodes[0]) as here, client(nodes[1]) as there:
        assert await here.call("ask", there.sid) == [6, 7]


async def test_callback_in_a_handler(nodes):
    """The callback of an emit runs with the request of the client whose event it belongs to."""
    app, seen = nodes[0].socketio, asyncio.Queue()
    loop = asyncio.get_running_loop()

    @app.on("ask")
    def ask(sid):
        emit("question", 6, to=sid, callback=lambda answer: put((answer, request.sid)))

    def put(what):
        loop.call_soon_threadsafe(seen.put_nowait, what)

    async with client(nodes[0]) as here, client(nodes[1]) as there:
        await here.call("ask", there.sid)
        assert await asyncio.wait_for(seen.get(), 5) == (6, here.sid)


def test_the_test_client(monkeypatch):
    """Flask-SocketIO's test client works without a bus: rooms, answers, bytes, refusals, errors."""
    monkeypatch.delenv("CLUSTER_BUS", raising=False)
    node = Bare.alone()
    app = node.socketio

    @app.on("connect", namespace="/private")
    def refuse():
        return False

    @app.on("join")
    def join(room):
        join_room(room)
        emit("joined", {"room": room, "raw": b"\x00\xff"}, to=room)
        return room

    try:
        ada, bob = app.test_client(node.app), app.test_client(node.app)
        assert ada.emit("join", "tea", callback=True) == "tea"
        assert ada.get_received() == [
            {"name": "joined", "args": [{"room": "tea", "raw": b"\x00\xff"}], "namespace": "/"}
        ]
        assert bob.get_received() == []
        app.emit("news", 1)
        assert [event["args"] for one in (ada, bob) for event in one.get_received()] == [[1], [1]]
        ada.disconnect()
        app.emit("news", 2, to="tea")
        assert not ada.is_connected()
        assert not app.test_client(node.app, namespace="/private").is_connected("/private")
        assert len(node.manager.members.clients) == 1
    finally:
        node.manager.close()


def test_only_threads():
    """A server that is not made for threads is told what to do, and a manager without a server too."""
    from socketio import Server

    with pytest.raises(SettingError, match="monkey.patch_all"):
        Server(async_mode="gevent", client_manager=SyncClusterManager())
    with pytest.raises(SettingError, match="instead of -k eventlet"):
        check_threads("eventlet")
    with pytest.raises(RuntimeError, match="Emitter"):
        SyncClusterManager().emit("event", None, "/")


@pytest.mark.parametrize("nobody", [[], 0, ""], ids=repr)
async def test_only_none_is_everybody(nodes, nobody):
    """``SocketIO.emit``, ``send`` and ``call`` of an empty list, 0 or "" are for nobody who is not there."""
    app = nodes[0].socketio

    @app.on("say")
    def say():
        emit("secret", room=nobody)

    async with client(nodes[0]) as here, client(nodes[1]) as there:
        for way in ("to", "room"):
            await asyncio.to_thread(app.emit, "secret", **{way: nobody})
            await asyncio.to_thread(app.send, "secret", to=nobody)
            with pytest.raises(NoAnswer):
                await asyncio.to_thread(app.call, "secret", timeout=0.2, **{way: nobody})
        await here.call("say")
        await nodes[1].sio.enter_room(there.sid, 0)
        await asyncio.to_thread(app.emit, "zero", to=0)
        assert await there.next("zero") == []
        await fence(nodes[0], here, there)
