"""Nodes of threaded servers are asked like the others."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
import socketio

from socketio_cluster import ClientAnswer, PartialAnswer, Server, SettingError
from tests.flask.threaded import ThreadedNode, mixed
from tests.harness import Node, client, fence


async def test_threaded_node(local_url, prefix):
    """The clients of a threaded node are found, asked, moved, emitted to and disconnected by another node."""
    async with mixed((ThreadedNode, Node), local_url, prefix) as nodes:
        asker = nodes[1].manager
        async with client(nodes[0]) as threaded, client(nodes[1]) as plain:
            sids = {threaded.sid, plain.sid}
            sockets = await asker.fetch_sockets()
            assert {one.sid for one in sockets} == sids
            assert {one.transport for one in sockets} == {"websocket"}
            assert {one.address for one in sockets} == {"127.0.0.1"}
            assert await asker.sockets_join("red") == 2
            await asker.to("red").except_(plain.sid).volatile.emit("tick", 1)
            assert await threaded.next("tick") == [1]
            assert await asker.emit_with_ack("ask", 2, threaded.sid) == [ClientAnswer(threaded.sid, 2)]
            assert await asker.fetch_rooms() == {"red": 2}
            assert await asker.disconnect_sockets() == 2
            await threaded.gone.wait()
            await plain.gone.wait()
            assert await asker.count() == 0


@pytest.fixture(params=["manager", "server"])
async def asking(request, bus_url, prefix, monkeypatch):
    """A threaded node and an asyncio one; what asks on the threaded one: its manager, or our own server."""
    if request.param == "server":
        monkeypatch.setattr(socketio, "Server", Server)  # the class that Flask-SocketIO makes
    async with mixed((ThreadedNode, Node), bus_url, prefix) as nodes:
        yield nodes, (nodes[0].manager if request.param == "manager" else nodes[0].socketio.server)


async def test_threads_ask(asking):
    """All calls of an asyncio node are there for threads, and each waits for its result."""
    (threaded, plain), sio = asking
    async with client(threaded) as a, client(plain) as b:
        await plain.sio.save_session(b.sid, {"team": "red"})

        def ask():
            assert sorted(one.sid for one in sio.fetch_sockets()) == sorted((a.sid, b.sid))
            assert [one.sid for one in sio.iter_sockets(where={"team": "red"})] == [b.sid]
            assert (sio.count(), sio.count(local=True), sio.local.count()) == (2, 1, 1)
            assert sio.sockets_join(["red", 7], skip_sid=a.sid) == 1
            assert sio.fetch_rooms() == {"red": 1, 7: 1}
            assert sio.rooms_of(b.sid) == {"red", 7}
            assert sio.to("red").sockets_leave(7) == 1
            sio.to("red").except_(a.sid).volatile.emit("tick", 1)
            assert sio.emit_with_ack("ask", 2, "red") == [ClientAnswer(b.sid, 2)]
            assert list(sio.to(a.sid).timeout(10).iter_answers("ask", 3)) == [ClientAnswer(a.sid, 3)]
            with pytest.raises(ValueError, match="timeout"):
                sio.count(timeout=0)
            with pytest.raises(ValueError, match="not connected"):
                sio.rooms_of("nobody")
            answered = threading.Event()
            sio.except_(a.sid).emit("back", callback=lambda: answered.set())
            assert answered.wait(15)
            assert sio.where({"team": "red"}).disconnect_sockets() == 1
            return sio.count()

        assert await asyncio.to_thread(ask) == 1
        assert [await b.next(event) for event in ("tick", "ask", "back")] == [[1], [2], []]
        assert await a.next("ask") == [3]
        await b.gone.wait()


async def test_threads_emit(asking):
    """``emit`` and ``send`` of a threaded node leave out whom they are told to, on whichever node."""
    (threaded, plain), sio = asking
    async with client(threaded) as a, client(plain) as b:
        await plain.sio.save_session(b.sid, {"team": "red"})

        def emit():
            rest = {} if isinstance(sio, Server) else {"namespace": "/"}
            sio.emit("tick", 1, except_=b.sid, **rest)
            sio.emit("tick", 2, except_=a.sid, **rest)
            sio.emit("tick", 3, where={"team": "red"}, **rest)
            sio.emit("tick", 4, local=True, **rest)
            sio.emit("tick", 5, room=[a.sid, b.sid], skip_sid=a.sid, volatile=True, **rest)
            if isinstance(sio, Server):
                sio.send("hello", to=[a.sid, b.sid], except_=b.sid)
            else:
                sio.emit("message", "hello", except_=b.sid, **rest)
            with pytest.raises(TypeError, match="unexpected keyword argument 'excpet'"):
                sio.emit("tick", 6, excpet=b.sid, **rest)
            with pytest.raises(TypeError, match="local is True or False"):
                sio.emit("tick", 6, local="yes", **rest)
            answered = threading.Event()
            sio.emit("back", callback=lambda: answered.set(), except_=a.sid, data=None, **rest)
            assert answered.wait(15)

        await asyncio.to_thread(emit)
        assert [await a.next_any() for _ in range(3)] == [
            ("tick", [1]),
            ("tick", [4]),
            ("message", ["hello"]),
        ]
        expected = [("tick", [2]), ("tick", [3]), ("tick", [5]), ("back", [])]
        assert [await b.next_any() for _ in range(4)] == expected
        await fence(plain, a, b)


async def test_events_between_servers(asking):
    """A threaded node hears events of servers, in a thread where its handler may block, and emits them."""
    (_, plain), sio = asking
    seen = []

    @sio.on_server("health")
    def health(factor):
        time.sleep(0.01)  # must not be on the loop: this raises there
        return {"factor": 2 * factor, "thread": threading.current_thread().name}

    sio.on_server("fails", lambda: 1 / 0)
    plain.manager.on_server("reload", lambda *args: seen.append(args) or "done")
    [answer] = (await plain.manager.server_side_emit_with_ack("health", 4)).values()
    assert answer["factor"] == 8
    assert answer["thread"] != "cluster-node"
    with pytest.raises(PartialAnswer, match="ZeroDivisionError"):
        await plain.manager.server_side_emit_with_ack("fails")
    await asyncio.to_thread(sio.server_side_emit, "reload", (1, "two"))
    answers = await asyncio.to_thread(sio.server_side_emit_with_ack, "reload")
    assert answers == {plain.manager.node_id: "done"}
    assert seen == [(1, "two"), ()]
    with pytest.raises(TypeError):
        sio.on_server("event", "no function")


def test_another_manager():
    """With a manager of another kind our server says what is missing."""
    with pytest.raises(SettingError, match="use a SyncClusterManager"):
        Server(async_mode="threading").count()
