"""A client is there from the moment its connect handler accepts it until it leaves, and not a bit else."""

from __future__ import annotations

import asyncio

import pytest
import socketio

from tests.bare_sessions import raw_polling, raw_websocket
from tests.harness import Refused, eventually, fence

SHORT_PING = {"ping_interval": 0.2, "ping_timeout": 0.2}


class Gate:
    """A connect handler that waits until the test lets it answer, or raises what it is told to."""

    def __init__(self, node):
        self.node = node
        self.entered = asyncio.get_running_loop().create_future()
        self.answer = asyncio.get_running_loop().create_future()
        node.sio.on("connect", self.handle)

    async def handle(self, sid, environ):
        await self.node.sio.enter_room(sid, "blue")
        self.entered.set_result(sid)
        return await self.answer

    async def sid(self):
        return await asyncio.wait_for(self.entered, 5)


async def emit_everywhere(nodes, sid, witness):
    """Emit to all, to the room and to the sid from each node; returns the names once all have arrived."""
    for number, node in enumerate(nodes):
        await node.sio.emit(f"all{number}")
        await node.sio.emit(f"room{number}", room="blue")
        await node.sio.emit(f"sid{number}", to=sid)
        assert await witness.next(f"all{number}") == []
        await fence(node, witness)
    return [f'42["{kind}{number}"]' for number in range(3) for kind in ("all", "room", "sid")]


async def test_nothing_before_the_handler_accepts(nodes, connect):
    """What is emitted while the connect handler runs reaches the client after its CONNECT packet."""
    witness = await connect(nodes[1])
    gate = Gate(nodes[1])
    async with raw_websocket(nodes[1]) as ws:
        await ws.send("40")
        due = await emit_everywhere(nodes, await gate.sid(), witness)
        gate.answer.set_result(True)
        assert (await ws.recv()).startswith('40{"sid"')
        assert [await ws.recv() for _ in due] == due


async def test_nothing_for_the_refused(nodes, connect):
    """A client that is refused has got nothing of what was emitted meanwhile, and is nowhere."""
    witness = await connect(nodes[1])
    gate = Gate(nodes[1])
    async with raw_websocket(nodes[1]) as ws:
        await ws.send("40")
        sid = await gate.sid()
        await emit_everywhere(nodes, sid, witness)
        gate.answer.set_result(False)
        assert (await ws.recv()).startswith("44")
        await nodes[0].sio.emit("later", room=["blue", sid])
        await fence(nodes[0], witness)
        await ws.send("40/chat,")
        assert (await ws.recv()).startswith("40/chat,")
    await witness.disconnect()
    await eventually(lambda: nodes[1].empty)


@pytest.mark.parametrize("server_options", [{}, {"always_connect": True}], ids=["", "always_connect"])
async def test_disconnect_in_the_handler(nodes, server_options):
    """A client that its connect handler disconnects is disconnected, and nothing of it is left."""

    async def kick(sid, environ):
        nodes[1].log.append(("connect", sid))
        await nodes[1].sio.disconnect(sid)

    nodes[1].sio.on("connect", kick)
    async with raw_websocket(nodes[1]) as ws:
        await ws.send("40")
        assert (await ws.recv()).startswith('40{"sid"')
        assert await ws.recv() == "41"
        await eventually(lambda: not nodes[1].manager.rooms)
    await eventually(lambda: nodes[1].empty)
    sid = nodes[1].log[0][1]
    assert nodes[1].log == [("connect", sid), ("disconnect", sid, "server disconnect")]


@pytest.mark.parametrize("serializer", ["default", "msgpack"])
async def test_handler_that_raises(nodes, connect_any, serializer):
    """A connect handler that raises is a refusal, and nothing of the client is left."""
    nodes[1].sio.on("connect", lambda sid, environ: 1 / 0)
    with pytest.raises(Refused):
        await connect_any(nodes[1])
    await eventually(lambda: nodes[1].empty)


@pytest.mark.parametrize("accepts", [True, False], ids=["accepted", "refused"])
@pytest.mark.parametrize("server_options", [SHORT_PING], ids=["short-ping"])
async def test_websocket_lost_during_the_handler(nodes, server_options, accepts):
    """A client whose ping times out during its connect handler gets its disconnect event and is gone."""
    gate = Gate(nodes[1])
    async with raw_websocket(nodes[1]) as ws:
        await ws.send("40")
        sid = await gate.sid()
        ws.transport.abort()
        await eventually(lambda: all(each.closed for each in nodes[1].sio.eio.sockets.values()))
        gate.answer.set_result(accepts)
        await eventually(lambda: nodes[1].empty)
    assert [entry[:2] for entry in nodes[1].log] == ([("disconnect", sid)] if accepts else [])


@pytest.mark.parametrize("accepts", [True, False], ids=["accepted", "refused"])
async def test_polling_closed_during_the_handler(nodes, accepts):
    """A polling client that closes during its connect handler gets its disconnect event and is gone."""
    gate = Gate(nodes[1])
    async with raw_polling(nodes[1]) as session:
        connecting = asyncio.create_task(session.post("40"))
        sid = await gate.sid()
        await session.post("1")
        gate.answer.set_result(accepts)
        await connecting
        await eventually(lambda: nodes[1].empty)
    assert [entry[:2] for entry in nodes[1].log] == ([("disconnect", sid)] if accepts else [])


async def test_slow_handlers_delay_nobody(nodes, connect):
    """While handlers and callbacks of one client wait, others on the same nodes connect, join and hear."""
    slow, other, home = await connect(nodes[1]), await connect(nodes[1]), await connect(nodes[0])
    release, waiting = asyncio.Event(), asyncio.Semaphore(0)

    async def wait(*args):
        waiting.release()
        await release.wait()

    nodes[1].sio.on("work", wait)
    await slow.emit("work")
    await nodes[0].sio.emit("ask", to=slow.sid, callback=wait)
    assert await slow.next("ask") == []
    nodes[1].sio.on("disconnect", wait)
    leaving = asyncio.create_task(nodes[0].sio.disconnect(slow.sid))
    nodes[1].sio.on("connect", wait)
    async with raw_websocket(nodes[1]) as ws:
        await ws.send("40")
        for _ in range(4):
            await asyncio.wait_for(waiting.acquire(), 5)

        await nodes[0].sio.enter_room(other.sid, "blue")
        await nodes[2].sio.emit("news", room="blue")
        assert await other.next("news") == []
        assert await nodes[0].sio.call("ask", 1, to=other.sid, timeout=5) == 1
        await nodes[1].sio.emit("home", to=home.sid)
        assert await home.next("home") == []
        release.set()
        await leaving


async def test_binary_to_mixed_transports(nodes, connect):
    """Bytes reach polling and websocket clients of one room intact, whichever of them comes first."""
    orders = [["websocket", "polling"], ["polling", "websocket"], ["polling", "websocket", "polling"]]
    clients = [
        await connect(node, transports=[transport])
        for node, order in zip(nodes, orders, strict=True)
        for transport in order
    ]
    for data in (b"\x00\xff", {"deep": [b"\x01", b"\x02"]}):
        await nodes[0].sio.emit("bytes", data)
        for one in clients:
            assert await one.next("bytes") == [data]
    await fence(nodes[0], *clients)


@pytest.mark.parametrize("connect_any", ["python-polling", "js-polling"], indirect=True)
async def test_upgrade(nodes, connect_any):
    """A client that changes from polling to websocket misses nothing and hears in order."""
    one = await connect_any(nodes[1], transports=["polling", "websocket"])
    for number in range(50):
        await nodes[0].sio.emit("n", number, to=one.sid)
    assert [(await one.next("n"))[0] for _ in range(50)] == list(range(50))
    await eventually(lambda: nodes[1].sio.transport(one.sid) == "websocket")
    await fence(nodes[0], one)


async def test_second_connect(nodes):
    """A second CONNECT to the same namespace is refused and leaves the first as it was."""
    async with raw_websocket(nodes[1]) as ws:
        await ws.send("40")
        sid = (await ws.recv()).split('"')[3]
        await ws.send("40")
        assert (await ws.recv()).startswith("44")
        await nodes[0].sio.emit("still", to=sid)
        assert await ws.recv() == '42["still"]'
    await eventually(lambda: nodes[1].empty)
    assert [entry[0] for entry in nodes[1].log] == ["connect", "disconnect"]


async def test_unknown_namespace(nodes, connect_any):
    """A namespace that the server does not have is refused."""
    with pytest.raises(Refused):
        await connect_any(nodes[1], namespace="/nowhere")
    await eventually(lambda: nodes[1].empty)


async def test_refusal_with_data(nodes, connect_any):
    """A connect handler sees the client's auth, and what it refuses with reaches the client."""

    def check(sid, environ, auth):
        if auth != {"token": "good"}:
            raise socketio.exceptions.ConnectionRefusedError("bad token", {"code": 7})

    nodes[1].sio.on("connect", check)
    with pytest.raises(Refused) as refused:
        await connect_any(nodes[1], auth={"token": "bad"})
    assert (refused.value.message, refused.value.data) == ("bad token", {"code": 7})
    good = await connect_any(nodes[1], auth={"token": "good"})
    await fence(nodes[0], good)


async def test_leaving(nodes, connect_any):
    """A client that leaves gets its disconnect event once, and nothing of it is left."""
    one = await connect_any(nodes[1])
    sid = one.sid
    await nodes[0].sio.enter_room(sid, "blue")
    await one.disconnect()
    await eventually(lambda: nodes[1].empty)
    assert [entry[:2] for entry in nodes[1].log] == [("connect", sid), ("disconnect", sid)]


async def test_failing_disconnect_handlers(nodes, caplog):
    """Disconnect handlers that raise leave nothing of the client behind, in any namespace."""
    for namespace in ("/", "/chat"):
        nodes[1].sio.on("disconnect", lambda sid, reason: 1 / 0, namespace=namespace)
    async with raw_websocket(nodes[1]) as ws:
        for namespace in ("", "/chat,"):
            await ws.send(f"40{namespace}")
            assert (await ws.recv()).startswith("40")
    await eventually(lambda: nodes[1].empty)
    assert "the disconnect handler of namespace /chat failed" in caplog.text


async def test_failing_handler_of_one_sent_away(nodes, connect, caplog):
    """A client that is sent away from another node is gone though its disconnect handler raises."""
    nodes[1].sio.on("disconnect", lambda sid, reason: 1 / 0)
    one = await connect(nodes[1])
    await nodes[0].sio.disconnect(one.sid)
    await asyncio.wait_for(one.gone.wait(), 5)
    await eventually(lambda: nodes[1].empty)
