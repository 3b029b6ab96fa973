"""Emitters: what a process without clients can do, on every bus, blocking and not."""

from __future__ import annotations

import ast
import asyncio
import builtins
import contextlib
import functools
import os
import signal
import sys
import textwrap
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx

import manager
from manager import AsyncEmitter, BrokerError, Emitter, SettingError
from tests.harness import client, eventually, fence, three_nodes
from tests.nodes.test_emit import PAYLOADS
from tests.services.process import free_port
from tests.services.redis import RedisServer

QUICK = {"heartbeat": 0.4, "dead_after": 2.0}
SECRET = "correct horse battery staple"


class Puppet:
    """An ``Emitter`` in another process, with the methods of an ``AsyncEmitter``."""

    def __init__(self, process):
        self._process = process

    def __getattr__(self, method):
        return functools.partial(self._call, method)

    async def _call(self, method, *args, **kwargs):
        self._process.stdin.write(repr((method, args, kwargs)).encode() + b"\n")
        error, value = ast.literal_eval((await self._process.stdout.readline()).decode())
        if error:
            raise (getattr(manager, error, None) or getattr(builtins, error))(value)
        return value


@contextlib.asynccontextmanager
async def puppet(url, **options):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.manager.puppet", url, repr(options)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    try:
        yield Puppet(process)
        process.stdin.close()
        assert await asyncio.wait_for(process.wait(), 10) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def run(script, *args, **env):
    """Run a script in a process of its own; returns its output and its errors."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", textwrap.dedent(script), *args),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | env,
    )
    try:
        output, errors = await asyncio.wait_for(process.communicate(), 30)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return output.decode(), errors.decode()


async def in_thread(act):
    await asyncio.get_running_loop().run_in_executor(None, act)


@pytest.fixture(autouse=True)
def blocking():
    """Whatever blocks the event loop from within the manager raises."""
    with blockbuster_ctx("manager"):
        yield


@pytest.fixture
def options():
    return {}


@pytest.fixture
async def nodes(bus_url, prefix, options):
    node_options = {key: value for key, value in options.items() if key in ("serializer", "secret")}
    async with three_nodes(bus_url, prefix, **QUICK, **node_options) as three:
        yield three


@pytest.fixture(params=["asyncio", "blocking"])
async def emitter(request, nodes, bus_url, prefix, options):
    """An AsyncEmitter here, or an Emitter in another process."""
    kind = AsyncEmitter if request.param == "asyncio" else puppet
    async with kind(bus_url, prefix=prefix, **QUICK, **options) as one:
        yield one


@pytest.fixture
async def clients(nodes, options):
    """One client on each node."""
    serializer = options.get("serializer", "default")
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(client(node, serializer=serializer)) for node in nodes]


@pytest.fixture
def redis(tmp_path):
    """A Redis of the test's own, that it may stop and freeze."""
    with RedisServer(tmp_path) as server:
        yield server


async def test_everyone(emitter, nodes, clients):
    """An emit without a room reaches every client of the namespace once, and nobody of another."""
    async with client(nodes[1], namespace="/chat") as chat:
        await emitter.emit("news", 1)
        await emitter.emit("news", 2, namespace="/chat")
        for one in clients:
            assert await one.next("news") == [1]
        assert await chat.next("news") == [2]
        await fence(nodes[0], *clients)
        await fence(nodes[0], chat, namespace="/chat")


async def test_rooms(emitter, nodes, clients):
    """An emit to a room, a list of rooms or a sid reaches each member of them once."""
    for one, node, room in zip(clients, nodes, ["red", "blue", "blue"], strict=True):
        await node.sio.enter_room(one.sid, room)
    await emitter.emit("to", 1, room="blue")
    await emitter.emit("to", 2, to=["red", "blue", clients[1].sid])
    await emitter.emit("to", 3, to=clients[0].sid)
    assert [await clients[0].next("to") for _ in range(2)] == [[2], [3]]
    for one in clients[1:]:
        assert [await one.next("to") for _ in range(2)] == [[1], [2]]
    await fence(nodes[0], *clients)


async def test_skip_sid(emitter, nodes, clients):
    """Those named by skip_sid, one or a list, get nothing."""
    await emitter.emit("some", 1, skip_sid=clients[2].sid)
    await emitter.emit("some", 2, skip_sid=[clients[1].sid, clients[2].sid])
    assert [await clients[0].next("some") for _ in range(2)] == [[1], [2]]
    assert await clients[1].next("some") == [1]
    await fence(nodes[0], *clients)


async def test_send(emitter, nodes, clients):
    """``send`` is an emit of the event message."""
    await emitter.send({"a": b"\x00"}, to=clients[1].sid)
    assert await clients[1].next("message") == [{"a": b"\x00"}]
    await fence(nodes[0], *clients)


@pytest.mark.parametrize("options", [{}, {"serializer": "msgpack"}], ids=["json", "msgpack"])
async def test_payloads(emitter, clients):
    """Text, bytes, lists, several arguments, nothing and nested bytes arrive as they were."""
    for data, expected in PAYLOADS:
        await emitter.emit("data", data)
        for one in clients:
            assert await one.next("data") == expected


async def test_order(emitter, clients):
    """What is emitted in turn arrives in turn, to whomever."""
    for number in range(200):
        await emitter.emit("n", number, to=clients[1].sid if number % 2 else None)
    assert [await clients[1].next("n") for _ in range(200)] == [[number] for number in range(200)]
    assert [await clients[2].next("n") for _ in range(100)] == [[number] for number in range(0, 200, 2)]


async def test_enter_and_leave_room(emitter, nodes, clients):
    """When enter_room or leave_room has returned, an emit on any node sees it."""
    for number, node in enumerate(nodes):
        await emitter.enter_room(clients[1].sid, "red")
        await node.sio.emit("in", number, room="red")
        assert await clients[1].next("in") == [number]
        await emitter.leave_room(clients[1].sid, "red")
        await node.sio.emit("out", room="red")
        await fence(node, *clients)
    await emitter.enter_room(clients[1].sid, 7)
    await emitter.emit("in", room=7)
    assert await clients[1].next("in") == []


async def test_rooms_of_a_namespace(emitter, nodes):
    """The namespace counts for every method."""
    async with client(nodes[2], namespace="/chat") as chat:
        await emitter.enter_room(chat.sid, "red", namespace="/chat")
        await emitter.emit("in", room="red", namespace="/chat")
        await emitter.send("in", room="red", namespace="/chat")
        assert await chat.next("in") == []
        assert await chat.next("message") == ["in"]
        await emitter.leave_room(chat.sid, "red", namespace="/chat")
        await emitter.emit("out", room="red", namespace="/chat")
        await fence(nodes[0], chat, namespace="/chat")
        await emitter.disconnect(chat.sid, namespace="/chat")
        await asyncio.wait_for(chat.gone.wait(), 5)


async def test_close_room(emitter, nodes, clients):
    """When close_room has returned the room is empty on every node, and others are as they were."""
    for one, node in zip(clients, nodes, strict=True):
        await node.sio.enter_room(one.sid, "red")
        await node.sio.enter_room(one.sid, "blue")
    await emitter.close_room("red")
    assert [node.sio.rooms(one.sid) for one, node in zip(clients, nodes, strict=True)] == [
        [one.sid, "blue"] for one in clients
    ]


async def test_a_sid_room_stays(emitter, nodes, clients):
    """The room of a client is its own: nobody else enters it, and it cannot be closed."""
    with pytest.raises(ValueError, match="sid room"):
        await emitter.close_room(clients[0].sid)
    with pytest.raises(ValueError, match="sid room"):
        await emitter.enter_room(clients[0].sid, clients[1].sid)


async def test_disconnect(emitter, nodes, clients):
    """When disconnect has returned the client is gone and its handler has run."""
    sid = clients[2].sid
    await emitter.disconnect(sid)
    assert nodes[2].log[-1] == ("disconnect", sid, "server disconnect")
    await asyncio.wait_for(clients[2].gone.wait(), 5)
    await fence(nodes[0], *clients[:2])


async def test_unknown_sid(emitter, nodes, clients):
    """A sid that nobody has is a ValueError for enter_room and nothing for the others."""
    for sid in ("x" * 20, "nobody", nodes[1].manager.node_id + "x" * 12):
        with pytest.raises(ValueError, match="sid is not connected"):
            await emitter.enter_room(sid, "red")
        await emitter.leave_room(sid, "red")
        await emitter.disconnect(sid)
        await emitter.emit("you", to=sid)
    await fence(nodes[0], *clients)


async def test_wrong_arguments(emitter):
    """A room that is neither str nor int, and data that cannot be encoded, are a TypeError."""
    with pytest.raises(TypeError, match="a room is named by"):
        await emitter.enter_room("x" * 20, 1.5)
    with pytest.raises(TypeError, match="a room is named by"):
        await emitter.emit("bad", room=[1.5])
    with pytest.raises(TypeError, match="serializ"):
        await emitter.emit("bad", {1, 2})


@pytest.mark.parametrize("options", [{"secret": SECRET}], ids=[""])
async def test_secret(emitter, nodes, clients, bus_url, prefix):
    """With the cluster's secret an emitter is heard; without it, or with another one, it is not."""
    for wrong in ({}, {"secret": SECRET[::-1]}):
        async with AsyncEmitter(bus_url, prefix=prefix, **wrong) as stranger:
            await stranger.emit("bad")
    await emitter.emit("good")
    for one in clients:
        assert await one.next("good") == []
    await fence(nodes[0], *clients)
    # What a stranger says: hello, the event, bye.
    assert nodes[1].manager.stats.refused == {"unsigned": 3, "signature": 3}


async def test_is_no_node(emitter, nodes):
    """An emitter is not listed among the nodes, and nobody waits for it."""
    await emitter.close_room("nobody")
    assert all(set(node.manager.nodes()) == {one.manager.node_id for one in nodes} for node in nodes)


async def test_after_a_cut(nodes, clients, bus_url, prefix):
    """A node that was cut off once hears emitters that come, speak and go."""
    nodes[1].manager.node._link.fail("the test says so")
    await eventually(lambda: nodes[1].manager.stats.reconnects == 1 and nodes[1].manager.ready)
    for number in range(3):
        async with AsyncEmitter(bus_url, prefix=prefix) as emitter:
            await emitter.emit("n", number)
        for one in clients:
            assert await one.next("n") == [number]


async def test_again_after_close(nodes, clients, bus_url, prefix):
    """A closed emitter starts again with its next call."""
    emitter = AsyncEmitter(bus_url, prefix=prefix)
    for number in range(3):
        await emitter.emit("n", number)
        await emitter.close()
        await emitter.close()
    assert [await clients[0].next("n") for _ in range(3)] == [[0], [1], [2]]


async def test_concurrent_first_calls(nodes, clients, bus_url, prefix):
    """Many tasks may start one emitter together."""
    emitter = AsyncEmitter(bus_url, prefix=prefix)
    await asyncio.gather(*(emitter.emit("n", number) for number in range(100)))
    await emitter.close()
    got = [(await clients[0].next("n"))[0] for _ in range(100)]
    assert sorted(got) == list(range(100))
    await fence(nodes[0], clients[0])


async def test_threads(nodes, clients, bus_url, prefix):
    """Threads share one Emitter, and a process that forgets to close it ends without a word."""
    script = """
        import sys
        from concurrent.futures import ThreadPoolExecutor
        from manager import Emitter
        emitter = Emitter()
        def work(thread):
            for number in range(20):
                emitter.emit("n", [thread, number])
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(8)))
    """
    assert await run(script, CLUSTER_BUS=bus_url, CLUSTER_PREFIX=prefix) == ("", "")
    got = [(await clients[1].next("n"))[0] for _ in range(160)]
    for thread in range(8):
        assert [number for one, number in got if one == thread] == list(range(20))
    await fence(nodes[1], clients[1])


async def test_fork(nodes, clients, bus_url, prefix):
    """After a fork, even in the middle of other threads' emits, child and parent go on emitting."""
    script = """
        import os, sys, threading, warnings
        from manager import Emitter
        warnings.simplefilter("ignore", DeprecationWarning)  # 3.12: fork in a process with threads
        emitter = Emitter(sys.argv[1], prefix=sys.argv[2])
        emitter.emit("n", "parent")
        going = threading.Event()
        def chatter():
            while not going.is_set():
                emitter.emit("noise", room="nobody")
        threads = [threading.Thread(target=chatter) for _ in range(3)]
        for thread in threads:
            thread.start()
        for number in range(4):
            child = os.fork()
            if child == 0:
                emitter.emit("n", f"child {number}")
                emitter.close()
                os._exit(0)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        going.set()
        for thread in threads:
            thread.join()
        emitter.emit("n", "parent again")
    """
    assert await run(script, bus_url, prefix) == ("", "")
    expected = ["parent", *(f"child {number}" for number in range(4)), "parent again"]
    assert [(await clients[1].next("n"))[0] for _ in expected] == expected
    await fence(nodes[1], clients[1])


@pytest.mark.parametrize(
    "scheme", ["redis://127.0.0.1:{}/0", "amqp://u:pass@127.0.0.1:{}//", "local:///nowhere/{}"]
)
async def test_no_bus(scheme, prefix):
    """Without the bus every method raises BrokerError in time; the text names the bus and no password."""
    url = scheme.format(free_port())
    emitter = AsyncEmitter(url, prefix=prefix, timeout=0.3)
    before = asyncio.get_running_loop().time()
    with pytest.raises(BrokerError, match=r"bus at .* was not reached within 0.3 s; the event was not sent"):
        await emitter.emit("never")
    for call in (emitter.enter_room, emitter.leave_room):
        with pytest.raises(BrokerError, match="nothing was done") as caught:
            await call("x" * 20, "red")
        assert "pass@" not in str(caught.value)
    for call in (emitter.close_room, emitter.disconnect):
        with pytest.raises(BrokerError, match="nothing was done"):
            await call("x" * 20)
    assert asyncio.get_running_loop().time() - before < 5 * 0.3 + 1
    await emitter.close()


async def test_bus_down_for_a_while(redis, prefix):
    """What failed while the bus was down is not sent when it is back; what follows is."""
    async with (
        three_nodes(redis.url, prefix, count=1, **QUICK) as nodes,
        client(nodes[0]) as one,
        AsyncEmitter(redis.url, prefix=prefix, timeout=0.5) as emitter,
    ):
        await in_thread(redis.stop)
        for number in range(3):
            with pytest.raises(BrokerError):
                await emitter.emit("never", number)
        await in_thread(redis.start)
        await eventually(lambda: nodes[0].manager.ready, 15)
        while True:
            with contextlib.suppress(BrokerError):
                await emitter.emit("again")
                break
        assert await one.next("again") == []
        await fence(nodes[0], one)


async def test_frozen_bus(redis, prefix):
    """On a bus that does not answer, the event on its way may have been sent; those behind it are not."""
    async with (
        three_nodes(redis.url, prefix, count=1) as nodes,
        client(nodes[0]) as one,
        AsyncEmitter(redis.url, prefix=prefix, timeout=0.5) as emitter,
    ):
        await emitter.emit("before")
        await in_thread(redis.pause)
        try:
            with pytest.raises(BrokerError, match="may have been sent"):
                await emitter.emit("perhaps")
            with pytest.raises(BrokerError, match="was not sent"):
                await emitter.emit("never")
            published = emitter.stats.published["Emit"]
            cancelled = asyncio.create_task(emitter.emit("never"))
            await eventually(lambda: emitter.stats.published["Emit"] > published)
            cancelled.cancel()
            await asyncio.wait([cancelled])
            assert cancelled.cancelled()
        finally:
            await in_thread(redis.resume)
        await emitter.emit("after")
        assert await one.next("before") == []
        name, _ = await asyncio.wait_for(one.events.get(), 5)
        if name == "perhaps":
            name, _ = await asyncio.wait_for(one.events.get(), 5)
        assert name == "after"


async def test_too_large(redis_url, prefix):
    """An event that is larger than the buffer is refused with words, and later ones go on."""
    async with (
        three_nodes(redis_url, prefix, count=1) as nodes,
        client(nodes[0]) as one,
        AsyncEmitter(redis_url, prefix=prefix, buffer_bytes=65536) as emitter,
    ):
        with pytest.raises(BrokerError, match="does not fit into buffer_bytes"):
            await emitter.emit("large", "x" * 70_000)
        await emitter.emit("small")
        assert await one.next("small") == []


async def test_interrupt(prefix):
    """Ctrl-C ends a call that waits."""
    script = """
        import sys
        from manager import Emitter
        emitter = Emitter(sys.argv[1], timeout=60)
        print("waiting", flush=True)
        emitter.emit("never")
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", textwrap.dedent(script), f"redis://127.0.0.1:{free_port()}"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        await process.stdout.readline()
        await asyncio.wait_for(process.stderr.readline(), 10)  # "cannot reach the bus": the call is waiting
        process.send_signal(signal.SIGINT)
        _, errors = await asyncio.wait_for(process.communicate(), 5)
        assert errors.strip().endswith(b"KeyboardInterrupt")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("kind", [AsyncEmitter, Emitter])
@pytest.mark.parametrize(
    ("url", "options", "words"),
    [
        (None, {}, "an emitter needs a bus"),
        ("kafka://host", {}, "no bus is called"),
        ("redis://host", {"timeout": 0}, "timeout must be"),
        ("redis://host", {"serializer": "pickle"}, "serializer must be"),
        ("redis://host", {"prefix": "a:b"}, "prefix must be"),
        ("redis://host", {"secret": "short"}, "at least 16"),
    ],
)
def test_settings(kind, url, options, words, monkeypatch):
    """A setting that cannot work is told when the emitter is made."""
    monkeypatch.delenv("CLUSTER_BUS", raising=False)
    with pytest.raises(SettingError, match=words):
        kind(url, **options)
