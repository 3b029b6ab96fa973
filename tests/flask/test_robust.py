"""What clients and processes do to a Flask node at their worst."""

from __future__ import annotations

import asyncio
import secrets
import signal
import subprocess
import sys
import threading
import time

import pytest

from tests.bare_sessions import raw_polling, raw_websocket
from tests.cluster.command import ROOT, clean_environment
from tests.flask.threaded import ThreadedNode, mixed
from tests.harness import Node, client, eventually, fence


@pytest.fixture
def options():
    return {}


@pytest.fixture
async def nodes(redis_url, prefix, options):
    """Two Flask nodes; no thread of theirs is left behind."""
    before = set(threading.enumerate())
    async with mixed((ThreadedNode, ThreadedNode), redis_url, prefix, **options) as both:
        yield both
    await eventually(lambda: not _threads_beside(before))


def _threads_beside(before):
    # python-engineio's monitor lives until the server is shut down, and the loop's pool stays.
    ours = (thread for thread in threading.enumerate() if thread not in before)
    return [each for each in ours if "_service_task" not in each.name and "asyncio" not in each.name]


@pytest.mark.parametrize("options", [{"client_bytes": 65536}], ids=[""])
async def test_slow_consumer(nodes, options):
    """A client that does not read is disconnected when its queue is full; the others hear everything."""
    async with client(nodes[0]) as good, raw_websocket(nodes[0]) as slow:
        await slow.send("40")
        await eventually(lambda: len(nodes[0].manager.members.clients) == 2)
        slow.transport.pause_reading()
        number = 0
        while not nodes[0].manager.stats.slow_consumers:
            assert number < 1000
            await nodes[1].sio.emit("n", (number, secrets.token_hex(25_000)))
            assert (await good.next("n"))[0] == number
            number += 1
        await eventually(lambda: len(nodes[0].manager.members.clients) == 1)
        assert nodes[0].log[-1][2] == "slow consumer"
        await fence(nodes[1], good)
        slow.transport.abort()


@pytest.mark.parametrize("options", [{"connect_seconds": 0.3}], ids=[""])
async def test_a_connection_that_joins_nothing(nodes, options):
    """A connection that joins no namespace in time is closed, a WebSocket and a polling one."""
    async with client(nodes[0]) as good, raw_websocket(nodes[0]) as ws, raw_polling(nodes[0]) as session:
        assert "1" in await asyncio.wait_for(session.get(), 5)
        await asyncio.wait_for(ws.wait_closed(), 5)
        assert [socket.closed for socket in nodes[0].sio.eio.sockets.values()].count(False) == 1
        await fence(nodes[1], good)


@pytest.mark.parametrize("words", ["4x", "451-", '42["connect"]', '451-["a"]', "49"])
async def test_who_breaks_the_protocol(nodes, words):
    """What no Socket.IO client sends ends its connection, and no other."""
    async with client(nodes[0]) as good, raw_websocket(nodes[0]) as bad:
        await bad.send(words)
        await asyncio.wait_for(bad.wait_closed(), 5)
        await fence(nodes[1], good)


async def test_disconnected_twice(nodes):
    """A client that many threads and its own end disconnect at once has one disconnect event."""
    for _ in range(10):
        async with client(nodes[0]) as one:
            sid = one.sid
            await asyncio.gather(*(nodes[number % 2].sio.disconnect(sid) for number in range(8)))
    await eventually(lambda: nodes[0].empty and not nodes[0].manager.stats.connections)
    assert nodes[0].manager.stats.accepted == {"websocket": 10}
    assert [entry[0] for entry in nodes[0].log] == ["connect", "disconnect"] * 10


async def test_failing_disconnect_handler(nodes):
    """A disconnect handler that raises leaves nothing of the client behind."""
    nodes[0].sio.on("disconnect", lambda sid, reason: 1 / 0)
    async with client(nodes[0]):
        pass
    await eventually(lambda: nodes[0].empty)


@pytest.mark.parametrize("options", [{"server_options": {"ping_interval": 0.1, "ping_timeout": 1}}], ids=[""])
async def test_pings(nodes, options):
    """Pings keep a quiet client connected without a thread that waits for them."""
    async with client(nodes[0]) as one, raw_websocket(nodes[0]) as ws:
        for _ in range(5):
            assert await asyncio.wait_for(ws.recv(), 2) == "2"
            assert "_send_ping" not in " ".join(thread.name for thread in threading.enumerate())
            await ws.send("3")
        assert await asyncio.wait_for(ws.recv(), 2) == "2"
        await asyncio.wait_for(ws.wait_closed(), 10)  # not answered
        await fence(nodes[1], one)


@pytest.mark.parametrize(
    "options", [{"server_options": {"ping_interval": 0.3, "ping_timeout": 0.3}}], ids=["0.3 s"]
)
async def test_a_client_that_answers_no_ping(nodes, options):
    """It is gone when the time for its answer is over: a poll that waits is told, one just after gets 400."""
    async with raw_polling(nodes[0]) as silent, raw_polling(nodes[0]) as waiting:
        await waiting.post("40")
        began = time.monotonic()
        packets = [packet for _ in range(3) for packet in await waiting.get()]
        assert [packet[0] for packet in packets[:3]] == ["4", "2", "1"]
        assert time.monotonic() - began < 0.9
        async with silent.http.get(silent.url) as response:
            assert response.status == 400
    await eventually(lambda: nodes[0].log[-1][2] == "ping timeout")


PROGRAM = """
import os, sys
from flask import Flask
from flask_socketio import SocketIO
from socketio_cluster import SyncClusterManager

app = Flask(__name__)
manager = SyncClusterManager()
socketio = SocketIO(app, client_manager=manager, async_mode="threading")
manager.start()
if sys.argv[1:] == ["fork"]:
    if os.fork() == 0:
        socketio.emit("from the child", manager.node_id)
        sys.exit()
    os.wait()
    socketio.emit("from the parent", manager.node_id)
else:
    manager.leave_on_signals()
    print("serving", flush=True)
    socketio.run(app, port=0, allow_unsafe_werkzeug=True)
"""


def program(*arguments, redis_url, prefix):
    environment = clean_environment() | {"CLUSTER_BUS": redis_url, "CLUSTER_PREFIX": prefix}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments], cwd=ROOT, env=environment, stdout=subprocess.PIPE
    )


@pytest.fixture
async def witness(redis_url, prefix):
    """An asyncio node that sees who comes and goes."""
    node = Node(redis_url, prefix)
    await node.start()
    yield node
    await node.stop()


async def test_a_forked_process_is_another_node(witness, redis_url, prefix):
    """Parent and child of a fork are two nodes, and both say goodbye when their program ends."""
    async with client(witness) as one:
        with program("fork", redis_url=redis_url, prefix=prefix) as process:
            [child] = await one.next("from the child", timeout=20)
            [parent] = await one.next("from the parent", timeout=20)
            assert child != parent
            assert await asyncio.to_thread(process.wait, 10) == 0
        await eventually(lambda: len(witness.manager.nodes()) == 1, 3)


async def test_the_end_of_flasks_own_server(witness, redis_url, prefix):
    """Flask's own server, told to end, ends by the signal, after a goodbye."""
    with program(redis_url=redis_url, prefix=prefix) as process:
        assert await asyncio.to_thread(process.stdout.readline) == b"serving\n"
        await eventually(lambda: len(witness.manager.nodes()) == 2)
        process.terminate()
        await eventually(lambda: len(witness.manager.nodes()) == 1, 3)
        assert await asyncio.to_thread(process.wait, 10) == -signal.SIGTERM
