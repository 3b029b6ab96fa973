"""Middlewares run before every handler of a server, and may change, refuse or skip."""

from __future__ import annotations

import asyncio

import pytest
import socketio

import socketio_cluster
from socketio_cluster import Refused, Skip
from tests.bare_sessions import raw_websocket
from tests.harness import eventually, fence


@pytest.fixture
def nodes(two_of_ours):
    """Two nodes whose servers have middlewares."""
    return two_of_ours


async def test_order(nodes, connect):
    """Middlewares, coroutine functions or not, run before the handler, in the order they were registered."""
    seen, sio, one = [], nodes[0].sio, await connect(nodes[0])

    @sio.middleware
    async def first(sid, event, args):
        await asyncio.sleep(0)
        seen.append(("first", sid, event, list(args)))
        args.append(1)

    @sio.middleware
    def second(sid, event, args):
        seen.append(("second", sid, event, list(args)))
        args[:] = [sum(args)]

    assert await one.call("add", 40, 1) == [42]
    assert seen == [("first", one.sid, "add", [40, 1]), ("second", one.sid, "add", [40, 1, 1])]
    assert nodes[0].log[-1] == ("add", one.sid, 42)


async def test_refuse(nodes, connect_any):
    """A refusal reaches the ack as an error with its data, on every client, and the handler does not run."""

    @nodes[0].sio.middleware
    async def guard(sid, event, args):
        if event == "open":
            raise Refused("log in first", {"code": 401})
        if event == "peek":
            raise Refused("no")

    one = await connect_any(nodes[0])
    assert await one.call("open", "door") == [{"error": "log in first", "data": {"code": 401}}]
    assert await one.call("peek") == [{"error": "no"}]
    await one.emit("open", "nobody asks for an ack")
    assert await one.call("knock") == []
    assert [entry[0] for entry in nodes[0].log] == ["connect", "knock"]


async def test_skip(nodes, connect):
    """A skipped event is answered by the middleware; neither handler nor later middlewares see it."""
    sio, later = nodes[0].sio, []

    @sio.middleware
    async def cache(sid, event, args):
        if event == "known":
            raise Skip({"answer": 42})
        if event == "quiet":
            raise Skip

    @sio.middleware
    async def after(sid, event, args):
        later.append(event)

    one = await connect(nodes[0])
    assert await one.call("known") == [{"answer": 42}]
    assert await one.call("quiet") == []
    assert await one.call("other", 7) == [7]
    assert later == ["connect", "other"]
    assert [entry[0] for entry in nodes[0].log] == ["connect", "other"]


async def test_namespaces(nodes, connect):
    """A middleware serves all namespaces, or one, or with '*' all and is told which."""
    sio, seen = nodes[0].sio, []

    @sio.middleware
    async def everywhere(sid, event, args):
        seen.append(("everywhere", event))

    @sio.middleware(namespace="/chat")
    async def chat(sid, event, args):
        seen.append(("chat", event))

    @sio.middleware(namespace="*")
    async def told(namespace, sid, event, args):
        seen.append((namespace, event))

    await (await connect(nodes[0])).call("a")
    assert seen == [("everywhere", "connect"), ("/", "connect"), ("everywhere", "a"), ("/", "a")]
    del seen[:]
    await (await connect(nodes[0], namespace="/chat")).call("b")
    assert seen[3:] == [("everywhere", "b"), ("chat", "b"), ("/chat", "b")]


class Room(socketio.AsyncNamespace):
    """A class namespace."""

    def on_say(self, sid, words):
        return words

    async def on_fail(self, sid):
        raise ValueError("in a class")


async def test_kinds_of_handlers(nodes, connect):
    """Class namespaces, plain functions and events without a handler pass the middlewares too."""
    sio = nodes[0].sio

    @sio.middleware
    async def shout(sid, event, args):
        if event == "say":
            args[0] = args[0].upper()
        if event == "nobody":
            raise Refused("nobody listens")

    @sio.exception_handler(ValueError)
    def answer(sid, event, error):
        return f"{event}: {error}"

    sio.register_namespace(Room("/room"))
    one = await connect(nodes[0], namespace="/room")
    assert await one.call("say", "hello") == ["HELLO"]
    assert await one.call("fail") == ["fail: in a class"]
    assert await one.call("nobody") == [{"error": "nobody listens"}]
    sio.on("say", lambda sid, words: f"{words}!")
    assert await (await connect(nodes[0])).call("say", "hello") == ["HELLO!"]


@pytest.mark.parametrize("serializer", ["default", "msgpack"])
async def test_binary(nodes, connect):
    """Binary arguments pass the middlewares, in both formats."""

    @nodes[0].sio.middleware
    async def reverse(sid, event, args):
        if event == "bytes":
            args[0] = args[0][::-1]

    assert await (await connect(nodes[0])).call("bytes", b"abc") == [b"cba"]


async def test_emits_across(nodes, connect):
    """What a middleware emits reaches clients of the other node."""
    here, there = await connect(nodes[0]), await connect(nodes[1])

    @nodes[0].sio.middleware
    async def tell(sid, event, args):
        await nodes[0].sio.emit("heard", event, skip_sid=sid)

    assert await here.call("knock") == []
    assert await there.next("heard") == ["knock"]
    await fence(nodes[0], here)


async def test_returning_is_a_mistake(nodes, connect, caplog):
    """A middleware that returns something is told so in the log; its client gets an error."""

    @nodes[0].sio.middleware
    async def wrong(sid, event, args):
        return args if event == "ask" else None

    assert await (await connect(nodes[0])).call("ask", 1) == [{"error": "Internal server error"}]
    assert "change the arguments in place" in caplog.text


async def test_cancelled(nodes):
    """A middleware that is cancelled ends its event: no answer, no error, no handler."""
    begun, outcome, tasks = asyncio.Event(), [], []

    @nodes[0].sio.middleware
    async def wait(sid, event, args):
        if event == "wait":
            task = asyncio.current_task()
            task.add_done_callback(lambda task: outcome.append(task.cancelled()))
            tasks.append(task)
            begun.set()
            await asyncio.get_running_loop().create_future()

    async with raw_websocket(nodes[0]) as ws:
        await ws.send("40")
        await ws.recv()
        await ws.send('421["wait"]')
        await asyncio.wait_for(begun.wait(), 5)
        tasks[0].cancel()
        await eventually(lambda: outcome == [True])
        await ws.send('422["next"]')
        assert await ws.recv() == "432[]"
    assert [entry[0] for entry in nodes[0].log][:2] == ["connect", "next"]


@pytest.mark.parametrize("server_options", [{"async_handlers": False}], ids=["in-turn"])
async def test_handlers_in_turn(nodes, connect_any):
    """With async_handlers=False, where the events of a client wait for each other, all of it holds too."""

    @nodes[0].sio.middleware
    async def guard(sid, event, args):
        if event == "open":
            raise Refused("no")

    nodes[0].sio.on("fail", lambda sid: 1 / 0)
    one = await connect_any(nodes[0])
    assert await one.call("open") == [{"error": "no"}]
    assert await one.call("fail") == [{"error": "Internal server error"}]
    assert await one.call("other", 1) == [1]


BAD = {
    "no function": (lambda sio: sio.middleware("guard"), TypeError, "is no function"),
    "two names": (lambda sio: sio.middleware(namespace="chat")(print), ValueError, "must begin with '/'"),
    "no class": (lambda sio: sio.exception_handler(), TypeError, "needs a class"),
    "without a class": (lambda sio: sio.exception_handler(print), TypeError, "subclasses of Exception"),
    "not to be caught": (
        lambda sio: sio.exception_handler(asyncio.CancelledError),
        TypeError,
        "CancelledError",
    ),
    "handler": (lambda sio: sio.exception_handler(ValueError)(None), TypeError, "is no function"),
}


@pytest.mark.parametrize(("register", "kind", "text"), BAD.values(), ids=BAD)
def test_what_cannot_be_registered(register, kind, text):
    """A mistake in a registration is told where it is made."""
    with pytest.raises(kind, match=text):
        register(socketio_cluster.AsyncServer(async_mode="asgi"))


def test_a_server_like_python_socketios():
    """The class is python-socketio's own with the same arguments; the decorators give back the function."""
    sio = socketio_cluster.AsyncServer(async_mode="asgi", cors_allowed_origins="*")
    assert isinstance(sio, socketio.AsyncServer)
    assert sio.eio.cors_allowed_origins == "*"

    def hook(*args):
        pass

    assert sio.middleware(hook) is hook
    assert sio.middleware(namespace="/chat")(hook) is hook
    assert sio.exception_handler(ValueError, KeyError)(hook) is hook
