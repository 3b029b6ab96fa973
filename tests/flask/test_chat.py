"""The Flask chat on the workers of gunicorn, and on an asyncio node's side of the same cluster."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
import uuid

import aiohttp
import pytest

from tests.flask.gunicorn import Gunicorn
from tests.harness import Node, Refused, client, eventually

APP = "examples.flask_chat.app:app"
CONFIG = ("-c", "examples/flask_chat/gunicorn.conf.py")


def serve(redis_server, *options):
    """The chat with two workers, in a cluster of its own."""
    env = {"CLUSTER_BUS": redis_server.url, "CLUSTER_PREFIX": f"t{uuid.uuid4().hex[:10]}"}
    server = Gunicorn(APP, *CONFIG, *options, env=env)
    server.bus = env["CLUSTER_BUS"], env["CLUSTER_PREFIX"]
    return server


@pytest.fixture(scope="module")
def served(redis_server):
    with serve(redis_server) as server:
        yield server


@contextlib.asynccontextmanager
async def seen(server):
    """A node beside the workers, that sees both."""
    server.beside = Node(*server.bus)
    await server.beside.start()
    try:
        await eventually(lambda: len(server.beside.manager.nodes()) == 3, 30)
        yield server
    finally:
        await server.beside.stop()


@pytest.fixture
async def chat(served):
    async with seen(served):
        yield served


async def person(stack, server, name):
    """Somebody in the chat: a connected client that was welcomed, with the name of its worker."""
    one = await stack.enter_async_context(client(server, auth={"name": name}))
    [told] = await one.next("welcome")
    assert told["name"] == name
    one.node = told["node"]
    return one


async def two_workers(stack, server):
    """Two people on different workers; the system chooses, so it takes some trying."""
    first = await person(stack, server, "Ada")
    for _ in range(60):
        second = await person(stack, server, "Bob")
        if second.sid[:8] != first.sid[:8]:
            return first, second
        await second.disconnect()
    pytest.fail("60 connections all went to one worker")


async def test_people_of_two_workers_talk(chat):
    """A room spans the workers, and a node that knows nothing of Flask; leaving it is told and final."""
    async with contextlib.AsyncExitStack() as stack:
        ada, bob = await two_workers(stack, chat)
        assert await ada.call("join", "tea") == [{"room": "tea"}]
        assert (await ada.next("notice"))[0]["text"] == "joined"
        assert await bob.call("join", "tea") == [{"room": "tea"}]
        for one in (ada, bob):
            [told] = await one.next("notice")
            assert told == {"room": "tea", "text": "joined", "name": "Bob", "node": bob.node, "sid": bob.sid}
        for number in range(20):
            assert await ada.call("say", "tea", f"hello {number}") == [{"room": "tea"}]
        for one in (ada, bob):
            for number in range(20):
                assert (await one.next("message"))[0]["text"] == f"hello {number}"
        await chat.beside.sio.emit("message", "from asyncio", room="tea")
        for one in (ada, bob):
            assert await one.next("message") == ["from asyncio"]
        assert await chat.beside.sio.call("ask", 7, to=bob.sid, timeout=5) == 7
        assert await bob.next("ask") == [7]
        await bob.disconnect()
        assert (await ada.next("notice"))[0]["text"] == "left"


async def test_announcements(chat):
    """An ordinary request to any worker tells a room on all of them; a bad one says what it lacks."""
    async with contextlib.AsyncExitStack() as stack:
        ada, bob = await two_workers(stack, chat)
        for one in (ada, bob):
            await one.call("join", "tea")
            while (await one.next("notice"))[0]["sid"] != one.sid:
                pass
        assert (await ada.next("notice"))[0]["sid"] == bob.sid
        async with aiohttp.ClientSession() as http:
            data = {"room": "tea", "text": "ready"}
            async with http.post(f"{chat.url}/announce", data=data) as response:
                assert response.status == 204
            async with http.post(f"{chat.url}/announce", data={"room": "tea"}) as response:
                assert response.status == 400
                assert await response.json() == {"error": "text must be text, and not empty"}
        for one in (ada, bob):
            assert (await one.next("message"))[0]["text"] == "ready"


async def test_bad_input(chat):
    """Whatever a client sends, the answer says what was wrong, and the next message is served."""
    async with contextlib.AsyncExitStack() as stack:
        ada = await person(stack, chat, "Ada")
        for event, values, error in [
            ("join", [], "this takes room, not 0 values"),
            ("join", [{"a": 1}], "room must be text, and not empty"),
            ("join", ["x" * 25], "room has at most 24 characters, this one 25"),
            ("join", ["tea\u200b"], "room must have only characters that can be seen"),
            ("join", ["\ud800"], "room must have only characters that can be seen"),
            ("say", ["tea", "hello"], "join the room first"),
            ("say", [ada.sid, "hello"], "join the room first"),
            ("say", [b"\x00", "hello"], "room must be text, and not empty"),
            ("leave", ["tea"], "join the room first"),
        ]:
            assert await ada.call(event, *values) == [{"error": error}]
        for number in range(12):
            assert await ada.call("join", f"room {number}") == [{"room": f"room {number}"}]
        assert await ada.call("join", "room 13") == [{"error": "12 rooms are enough: leave one first"}]
        with pytest.raises(Refused, match="name must be text, and not empty"):
            async with client(chat, auth={"name": 7}):
                pass


@pytest.mark.parametrize(
    ("number", "options"),
    [
        (signal.SIGTERM, ("--preload",)),
        (signal.SIGINT, ()),
        (signal.SIGTERM, ("-k", "gevent")),
        (signal.SIGINT, ("-k", "gevent")),
    ],
    ids=["term", "int", "gevent-term", "gevent-int"],
)
async def test_stopping(redis_server, number, options):
    """Told to stop, the workers let their clients go and say goodbye, however long those would stay."""
    async with contextlib.AsyncExitStack() as stack:
        chat = stack.enter_context(serve(redis_server, *options))
        await stack.enter_async_context(seen(chat))
        ada, bob = await two_workers(stack, chat)
        for one in (ada, bob):  # preloaded workers are two nodes too, and of one cluster
            assert await one.call("join", "tea") == [{"room": "tea"}]
        assert (await bob.next("notice"))[0]["text"] == "joined"
        assert await ada.call("say", "tea", "hello") == [{"room": "tea"}]
        assert (await bob.next("message"))[0]["text"] == "hello"
        began = time.monotonic()
        chat.process.send_signal(number)
        for one in (ada, bob):
            await asyncio.wait_for(one.gone.wait(), 5)
            assert one.reason in ("transport close", "transport error")  # it would connect again by itself
        await eventually(lambda: len(chat.beside.manager.nodes()) == 1)
        assert time.monotonic() - began < 4  # a node that vanishes is missed after 8 s
        assert await asyncio.to_thread(chat.process.wait, 10) == 0
        assert not any("Traceback" in line for line in chat.lines), chat.lines
