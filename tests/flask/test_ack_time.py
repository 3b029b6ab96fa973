"""Nothing is kept for answers that do not come."""

from __future__ import annotations

import asyncio

import pytest
from socketio.exceptions import TimeoutError as NoAnswer

from tests.flask.threaded import ThreadedNode, mixed
from tests.harness import SECONDS, Node, client, eventually


@pytest.fixture(params=[Node, ThreadedNode], ids=["asyncio", "flask"])
async def pair(request, redis_url, prefix):
    """Two nodes that keep a callback for a second."""
    async with mixed((request.param, request.param), redis_url, prefix, ack_seconds=1) as nodes:
        yield nodes


def waiting(node):
    core = node.manager.node_thread.inner if isinstance(node, ThreadedNode) else node.manager
    return len(core.remote.acks), len(core.client_acks)


@pytest.mark.parametrize("home", [0, 1], ids=["local", "remote"])
async def test_callbacks_go(pair, home):
    """Callbacks that no client answers go on both nodes, of emits to a client and to everybody."""
    async with client(pair[home], reply=False) as silent:
        for _ in range(20):
            await pair[0].sio.emit("ask", to=silent.sid, callback=print)
            await pair[0].sio.emit("ask", callback=print)
        await eventually(lambda: waiting(pair[home])[1] == 40)
        await eventually(lambda: waiting(pair[0]) == waiting(pair[1]) == (0, 0))


@pytest.mark.parametrize("home", [0, 1], ids=["local", "remote"])
async def test_calls_go(pair, home):
    """A call that was not answered in time leaves nothing on either node."""
    async with client(pair[home], reply=False) as silent:
        with pytest.raises(NoAnswer):
            await pair[0].sio.call("ask", to=silent.sid, timeout=0.2)
        await eventually(lambda: waiting(pair[0]) == waiting(pair[1]) == (0, 0))


async def test_a_call_may_wait_longer(pair):
    """The answer to a call counts until its own timeout, though callbacks are kept for less."""
    async with client(pair[1], reply=False) as slow:
        calling = pair[0].sio.call("ask", "word", to=slow.sid, timeout=SECONDS)
        call = asyncio.create_task(calling)
        await slow.next("ask")
        await asyncio.sleep(3.5)  # longer than callbacks are kept, by a sweep or two
        slow.gone.set()  # now it answers
        assert await call == "word"


async def test_call_in_the_connect_handler(pair):
    """A connect handler that calls its own client is told at once that this cannot be answered yet."""
    errors = []

    async def connect(sid, environ, auth):
        try:
            await pair[0].sio.call("ask", to=sid, timeout=60)
        except RuntimeError as error:
            errors.append(str(error))

    def connect_in_thread(sid, environ, auth):
        try:
            pair[0].socketio.server.call("ask", to=sid, timeout=60)
        except RuntimeError as error:
            errors.append(str(error))

    if isinstance(pair[0], ThreadedNode):
        pair[0].socketio.server.on("connect", connect_in_thread)
    else:
        pair[0].sio.on("connect", connect)
    async with client(pair[0]):
        assert len(errors) == 1
        assert "connect handler" in errors[0]


async def test_call_from_a_task_of_the_connect_handler(redis_url, prefix):
    """A task that the connect handler has started may call the client, which answers once it is connected."""
    async with mixed((Node,), redis_url, prefix) as [node]:
        answers = asyncio.Queue()

        async def greet(sid):
            answers.put_nowait(await node.sio.call("ask", "hello", to=sid, timeout=SECONDS))

        async def connect(sid, environ, auth):
            node.sio.start_background_task(greet, sid)
            await asyncio.sleep(0.1)  # the task begins before this client is connected

        node.sio.on("connect", connect)
        async with client(node):
            assert await asyncio.wait_for(answers.get(), SECONDS) == "hello"
