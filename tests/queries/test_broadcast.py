"""Whom an emit is for, said step by step, on every bus."""

from __future__ import annotations

import json

import pytest

from socketio_cluster import ClientAnswer, EventTooLarge
from tests.bare_sessions import raw_polling, raw_websocket
from tests.harness import eventually, fence, three_nodes


async def test_except(nodes, connect):
    """Who is in a room that is left out gets nothing, on whichever node; everybody else gets it once."""
    a, b, c, d = [await connect(nodes[number]) for number in (0, 1, 2, 2)]
    for one, rooms in ((a, ["red"]), (b, ["red", "blue", "muted"]), (c, ["blue"]), (d, [])):
        for room in rooms:
            await nodes[0].sio.enter_room(one.sid, room)
    for number, node in enumerate(nodes):
        await node.sio.to("red", "blue").except_("muted").emit("both", number)
        await node.sio.except_("red", d.sid).emit("except", (number, b"\x00"))
        await node.sio.to(d.sid).except_(a.sid).emit("one")
        assert await a.next("both") == [number]
        assert await c.next("both") == [number]
        assert await c.next("except") == [number, b"\x00"]
        assert await d.next("one") == []
        await fence(node, a, b, c, d)


async def test_arguments_of_emit(nodes, connect):
    """``emit`` and ``send`` take what the steps take, with all that python-socketio's take."""
    a, b, c = [await connect(node) for node in nodes]
    await nodes[2].sio.save_session(c.sid, {"level": 3})
    for number, node in enumerate(nodes):
        mine = [a, b, c][number]
        await node.sio.emit("one", number, except_=[a.sid, b.sid])
        await node.sio.emit("two", (number, b"\x00"), to=[b.sid, c.sid], where={"level >": 2})
        await node.manager.emit("three", number, "/", skip_sid=a.sid, except_=b.sid)
        await node.sio.send("four", except_=[a.sid, b.sid], volatile=False, local=False)
        for event, expected in (("one", [number]), ("two", [number, b"\x00"]), ("three", [number])):
            assert await c.next(event) == expected
        assert await c.next("message") == ["four"]
        await node.sio.emit("here", local=True)
        await node.sio.emit("now", volatile=True, ignore_queue=True)
        assert await mine.next("here") == await mine.next("now") == []
        answers = []
        await node.sio.emit("ask", 1, callback=answers.append, except_=a.sid)
        await eventually(lambda answers=answers: answers == [1, 1])
        assert await b.next("ask") == await c.next("ask") == [1]
        await fence(node, a, b, c)
    with pytest.raises(TypeError, match="unexpected keyword argument 'excpet'"):
        await nodes[0].sio.emit("nobody", excpet=a.sid)
    with pytest.raises(TypeError, match="unexpected keyword argument 'excpet'"):
        await nodes[0].manager.emit("nobody", None, "/", excpet=a.sid)
    await fence(nodes[0], a, b, c)


async def test_room_named_like_a_sid(nodes, connect):
    """A room that is named like a sid of another node has its members on all nodes with ``except_`` too."""
    members = [await connect(node) for node in nodes]
    for kind in ("except", "volatile"):
        for owner in nodes:
            name = owner.manager.node_id + f"-meeting-{kind[:3]}"
            for one in members:
                await nodes[0].sio.enter_room(one.sid, name)
            for node in nodes:
                whom = node.sio.to(name)
                await (whom.except_("nobody") if kind == "except" else whom.volatile).emit("in")
                for one in members:
                    assert await one.next("in") == []
                await fence(node, *members)


async def test_steps_change_nothing(nodes, connect):
    """Each step gives a new operator: one that is kept can be used again and again."""
    a, b = await connect(nodes[0]), await connect(nodes[1])
    chat = await connect(nodes[2], namespace="/chat")
    await nodes[0].sio.enter_room(a.sid, "red")
    await nodes[0].sio.enter_room(b.sid, "red")
    red = nodes[0].sio.to("red")
    steps = [red.except_(a.sid), red.local, red.volatile, red.timeout(1), red.to("blue"), red.of("/chat")]
    assert len({red, *steps}) == 7
    await red.emit("all")
    await red.local.emit("here")
    await red.of("/chat").emit("nobody")
    await nodes[0].sio.of("/chat").emit("chat")
    assert await a.next("all") == await b.next("all") == await a.next("here") == await chat.next("chat") == []
    await red.except_(a.sid).volatile.timeout(2).emit("tick", 1)
    assert await b.next("tick") == [1]
    await fence(nodes[0], a, b)
    await fence(nodes[0], chat, namespace="/chat")


async def test_questions(nodes, connect):
    """All that can be asked of a room can be asked of an operator."""
    a, b, c = [await connect(node) for node in nodes]
    whom = nodes[0].sio.except_(a.sid).timeout(3)
    assert await whom.sockets_join(["red", "blue"]) == 2
    assert await whom.sockets_leave("blue") == 2
    assert await nodes[0].sio.fetch_rooms() == {"red": 2}
    assert await whom.to("red").count() == 2
    assert await nodes[1].sio.local.count() == 1
    assert [one.sid for one in await whom.to(b.sid).fetch_sockets(session=False)] == [b.sid]
    answers = await nodes[2].manager.to("red").except_(c.sid).timeout(2).emit_with_ack("ask", 5)
    assert answers == [ClientAnswer(b.sid, 5)]
    assert await nodes[0].sio.to(b.sid).disconnect_sockets() == 1
    await b.gone.wait()
    assert await nodes[0].sio.count() == 2


async def joined(ws):
    """Join a bare WebSocket to the namespace; gives the sid."""
    await ws.send("40")
    return json.loads((await ws.recv())[2:])["sid"]


async def test_volatile(nodes, connect):
    """A client that does not read misses volatile events and no others, until it has read."""
    reader = await connect(nodes[1])
    async with raw_websocket(nodes[1]) as ws:
        sid = await joined(ws)
        manager, sent = nodes[1].manager, 0
        connection = manager.members.clients[sid].eio_sid
        while manager.host.is_free(connection):
            await nodes[1].sio.emit("fill", "x" * 500_000)
            assert len(await reader.next("fill")) == 1
            sent += 1
        await nodes[0].sio.volatile.emit("tick", "missed")
        assert await reader.next("tick") == ["missed"]
        await nodes[0].sio.emit("end")
        for _ in range(sent):
            assert (await ws.recv()).startswith('42["fill"')
        assert await ws.recv() == '42["end"]'
        await eventually(lambda: manager.host.is_free(connection))
        await nodes[0].sio.volatile.emit("tick", "taken")
        assert await ws.recv() == '42["tick","taken"]'


async def test_volatile_for_polling(nodes):
    """For a client that polls one volatile event waits at most; the next ones are dropped until it has it."""
    async with raw_polling(nodes[1]) as session:
        await session.post("40")
        assert (await session.get())[0].startswith("40")
        for number in range(3):
            await nodes[1].sio.volatile.emit("tick", number)
        assert await session.get() == ['42["tick",0]']
        await nodes[1].sio.volatile.emit("tick", 3)
        assert await session.get() == ['42["tick",3]']


async def test_volatile_before_connect(nodes):
    """A client whose connect handler has not accepted yet misses volatile events."""

    async def greet(sid, environ):
        await nodes[1].sio.volatile.emit("tick")
        await nodes[1].sio.emit("kept")

    nodes[1].sio.on("connect", greet)
    async with raw_websocket(nodes[1]) as ws:
        await joined(ws)
        assert await ws.recv() == '42["kept"]'


async def test_callback(nodes, connect):
    """``callback`` is called with the answer of each client that was meant, with each kind of emit."""
    clients = [await connect(node) for node in nodes]
    for whom, expected in (
        (nodes[0].sio.to("nobody", *[one.sid for one in clients]), 3),
        (nodes[0].sio.except_(clients[1].sid), 2),
        (nodes[0].sio.volatile, 3),
        (nodes[0].sio.local, 1),
    ):
        answers = []
        await whom.emit("ask", b"\x01", callback=answers.append)
        await eventually(lambda answers=answers, expected=expected: len(answers) == expected)
        await nodes[0].sio.count()  # nothing more is on its way
        assert answers == [b"\x01"] * expected


@pytest.mark.parametrize("bus_url", ["local"], indirect=True)
async def test_callback_of_a_refused_emit(bus_url, prefix):
    """The callback of an emit that raises is not kept."""
    options = {"count": 2, "settled": False, "buffer_bytes": 65536}
    async with three_nodes(bus_url, prefix, **options) as (a, _):
        for whom in ({}, {"where": {"level": 3}}):
            with pytest.raises(EventTooLarge):
                await a.manager.emit("big", "x" * 70_000, "/", callback=print, **whom)
        assert len(a.manager.remote.acks) == 0


async def test_names_of_python_socketio(nodes, connect):
    """The names of python-socketio mean what they mean for ``emit``; ``compress`` has no effect."""
    a, b, c = [await connect(node) for node in nodes]
    sio = nodes[0].sio
    assert await sio.sockets_join("red", skip_sid=c.sid) == 2
    assert await sio.count(to="red", skip_sid=[a.sid]) == 1
    assert await sio.count(ignore_queue=True) == 1
    assert [one.sid for one in await sio.fetch_sockets(to=["red"], skip_sid=a.sid)] == [b.sid]
    assert await sio.emit_with_ack("ask", 1, to=b.sid) == [ClientAnswer(b.sid, 1)]
    assert await b.next("ask") == [1]
    await sio.to("red").compress(False).emit("tick", skip_sid=a.sid)
    assert await b.next("tick") == []
    await fence(nodes[0], a, b, c)
    assert await sio.sockets_leave("red", to=a.sid) == 1
    assert await sio.disconnect_sockets(to="red", ignore_queue=True) == 0
    assert await sio.disconnect_sockets(to="red") == 1
    await b.gone.wait()
