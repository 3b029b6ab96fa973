"""A server outlives its event loop, and says so when another thread's loop is meant."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import sys

import pytest
import socketio
import uvicorn
import websockets

from socketio_cluster import AsyncEmitter, ClusterManager
from tests.harness import SECONDS, Node, Server, client, eventually


@pytest.fixture
def bus_url(redis_url):
    """One bus is enough: none knows of event loops."""
    return redis_url


def in_a_loop(coroutine):
    """Run a coroutine in an event loop of its own, which then ends, in another thread."""
    return asyncio.to_thread(asyncio.run, asyncio.wait_for(coroutine, SECONDS))


@contextlib.asynccontextmanager
async def visited(node):
    """A node that serves one client."""
    await node.start()
    try:
        async with client(node) as one:
            yield one
    finally:
        node.server.should_exit = True
        await node.serving


@pytest.mark.parametrize("tidy", [True, False], ids=["shutdown", "no shutdown"])
async def test_one_loop_after_the_other(nodes, connect, bus_url, prefix, tidy, monkeypatch):
    """In each event loop the server is a new node, without the clients of the last, and hears."""
    # Lanes are of one loop: only `serve` has them, and its workers have no second one.
    monkeypatch.setattr("tests.harness.LANE", False)
    there, roaming, ids = await connect(nodes[0]), Node(bus_url, prefix), set()
    outside = asyncio.get_running_loop()

    async def visit():
        async with visited(roaming) as here:
            ids.add(roaming.manager.node_id)
            assert roaming.manager.client_count == 1
            await roaming.sio.emit("from", "inside")
            assert await here.next("from") == ["inside"]
            await roaming.sio.enter_room(there.sid, roaming.manager.node_id)
            emit = nodes[1].sio.emit("from", "outside", to=here.sid)
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(emit, outside))
            assert await here.next("from") == ["outside"]
            roaming.log.clear()
        if tidy:
            await roaming.sio.shutdown()
            await roaming.sio.shutdown()

    for _ in range(3):
        await in_a_loop(visit())
        assert await there.next("from") == ["inside"]
    assert len(ids) == 3
    await in_a_loop(roaming.sio.shutdown())
    await in_a_loop(roaming.manager.close())
    await eventually(lambda: set(nodes[0].manager.nodes()) == {node.manager.node_id for node in nodes})


async def test_the_watch_over_connections_begins_again():
    """In the second event loop too a connection whose client is silent is closed in time."""
    sio = socketio.AsyncServer(
        async_mode="asgi", client_manager=ClusterManager(), ping_interval=0.1, ping_timeout=0.1
    )

    async def visit():
        listener = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(socketio.ASGIApp(sio), lifespan="off", log_level="warning")
        server = Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        url = f"ws://127.0.0.1:{listener.getsockname()[1]}/socket.io/?EIO=4&transport=websocket"
        async with websockets.connect(url, proxy=None) as silent:
            await silent.wait_closed()
        server.should_exit = True
        await serving
        await sio.shutdown()

    for _ in range(2):
        await in_a_loop(visit())


FORK = """
import asyncio, os, socketio, sys, warnings
from socketio_cluster import ClusterManager

warnings.simplefilter("ignore", DeprecationWarning)  # 3.12: fork in a process with threads
manager = ClusterManager(sys.argv[1], prefix=sys.argv[2])
sio = socketio.AsyncServer(async_mode="asgi", client_manager=manager)

async def tell(who):
    await sio.emit("nothing", room="nobody")
    await sio.emit("node", [who, manager.node_id])
    await sio.shutdown()

async def main():
    await manager.start()
    if (child := os.fork()) == 0:
        asyncio.run(tell("child"))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    await tell("parent")

asyncio.run(main())
"""


async def test_a_loop_in_a_forked_process(nodes, connect, bus_url, prefix):
    """A process that was forked while its loop ran is another node, in the same thread of another loop."""
    one = await connect(nodes[0])
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", FORK, bus_url, prefix)
    ids = dict([(await one.next("node", timeout=20))[0] for _ in range(2)])
    assert await asyncio.wait_for(process.wait(), 10) == 0
    assert ids.keys() == {"child", "parent"}
    assert len({*ids.values()}) == 2


async def test_emitter_in_one_loop_after_the_other(nodes, connect, bus_url, prefix):
    """An emitter that was not closed works in the next event loop, and may be closed in yet another one."""
    one = await connect(nodes[0])
    emitter = AsyncEmitter(bus_url, prefix=prefix)
    for number in range(3):
        await in_a_loop(emitter.emit("n", number))
        assert await one.next("n") == [number]
    await in_a_loop(emitter.close())


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("emit", ["event"]),
        ("enter_room", ["SID", "blue"]),
        ("leave_room", ["SID", "blue"]),
        ("close_room", ["blue"]),
        ("disconnect", ["SID"]),
        ("call", ["event", None, "SID"]),
    ],
)
async def test_the_loop_of_another_thread(nodes, connect, method, arguments):
    """A call from another thread's loop is refused with what to use instead, and that works."""
    one = await connect(nodes[0])
    arguments = [one.sid if each == "SID" else each for each in arguments]
    call = functools.partial(getattr(nodes[0].sio, method), *arguments)
    with pytest.raises(RuntimeError, match="run_coroutine_threadsafe"):
        await in_a_loop(awaited(call))
    assert nodes[0].manager.client_count == 1
    await asyncio.to_thread(
        lambda loop: asyncio.run_coroutine_threadsafe(awaited(call), loop).result(SECONDS),
        asyncio.get_running_loop(),
    )


async def awaited(call):
    return await call()


async def test_emitter_of_another_thread(nodes, bus_url, prefix):
    """The same holds for an emitter."""
    async with AsyncEmitter(bus_url, prefix=prefix) as emitter:
        with pytest.raises(RuntimeError, match="run_coroutine_threadsafe"):
            await in_a_loop(emitter.emit("n"))
        await emitter.emit("n")
