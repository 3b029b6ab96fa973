"""A handler that raises ``SystemExit`` or ``KeyboardInterrupt`` fails like any other, and its node lives."""

from __future__ import annotations

import asyncio

import pytest

import socketio_cluster
from tests.adversary.conftest import node_for, way_in
from tests.flask.threaded import ThreadedNode
from tests.harness import Node, Refused, client, eventually

exits = pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])


def raises(error):
    """A handler that wants to end the process."""

    def handler(*args):
        raise error

    return handler


def server_of(node):
    """The server itself: the harness runs handlers of threads on the loop of the test, which would end."""
    return node.socketio.server if isinstance(node, ThreadedNode) else node.sio


# A thread writes it into the log as any error that nobody handles, which pytest turns into a warning.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@exits
async def test_in_an_event(way, error, monkeypatch):
    """After such an error in the handler of an event the same client is served on."""
    async with node_for(way, monkeypatch) as node:
        server_of(node).on("bye", raises(error))
        async with client(node, transports=["polling" if way.endswith("polling") else "websocket"]) as one:
            await one.emit("bye")
            assert await one.call("echo", 1) == [1]


@exits
@pytest.mark.parametrize("way", ["lane", "no-lane"])
async def test_answers_the_ack(way, error, monkeypatch, caplog):
    """On our server it is logged, and the ack says that there was an error; middlewares may raise it too."""
    monkeypatch.setattr(Node, "server_class", socketio_cluster.AsyncServer)
    async with node_for(way, monkeypatch) as node:
        node.sio.on("bye", raises(error))

        @node.sio.middleware
        async def check(sid, event, args):
            if event == "stop":
                raise error

        async with client(node) as one:
            for event in ("bye", "stop"):
                assert await one.call(event) == [{"error": "Internal server error"}]
            assert await one.call("echo", 1) == [1]
    assert caplog.text.count(f"raised {error.__name__}") >= 2


@exits
async def test_in_connect_and_disconnect(way, error, monkeypatch):
    """It refuses the client in a connect handler, and leaves nothing of it in a disconnect handler."""
    transports = ["polling" if way.endswith("polling") else "websocket"]
    async with node_for(way, monkeypatch) as node:
        async with client(node, transports=transports) as other:
            server_of(node).on("connect", raises(error))
            with pytest.raises(Refused):
                async with client(node, transports=transports):
                    pass
            server_of(node).on("connect", lambda *args: None)
            server_of(node).on("disconnect", raises(error))
            async with way_in(node, way) as one:  # python-engineio's client may leave without a word
                assert node.manager.client_count == 2
                await one.send("41")
                await eventually(lambda: node.manager.client_count == 1)
            assert await other.call("echo", 1) == [1]


@exits
async def test_in_a_callback(way, error, monkeypatch):
    """Such an error in the callback of an emit is one of that callback alone."""
    async with node_for(way, monkeypatch) as node, asyncio.timeout(15):
        async with client(node) as one:
            called = []

            def callback(*args):
                called.append(args)
                raise error

            if isinstance(node, ThreadedNode):
                await asyncio.to_thread(server_of(node).emit, "ask", 1, to=one.sid, callback=callback)
            else:
                await node.sio.emit("ask", 1, to=one.sid, callback=callback)
            assert await one.next("ask") == [1]
            await eventually(lambda: called)
            assert await one.call("echo", 1) == [1]
