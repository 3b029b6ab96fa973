"""Clients of our nodes and of Node.js's servers are one cluster, with a bridge between them."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

import socketio_cluster
from tests.bridge.nodejs import node_bridge, node_servers
from tests.harness import SECONDS, Node, client, eventually, three_nodes


class Both:
    """The two clusters: our two nodes, Node.js's two servers, and a client on each of the four."""

    def __init__(self, nodes, servers, bridge, where):
        self.nodes = nodes
        self.servers = servers
        self.bridge = bridge
        self.where = where
        self.kind = where[3]

    @contextlib.asynccontextmanager
    async def clients(self, namespace="/"):
        async with contextlib.AsyncExitStack() as stack:
            places = [*self.nodes, *self.servers.all]
            yield [await stack.enter_async_context(client(each, namespace=namespace)) for each in places]


@pytest.fixture(scope="module", params=["classic", "sharded"])
def servers(request, redis_server):
    """Node.js's servers, which all tests of an adapter share."""
    with node_servers(redis_server.url, request.param) as started:
        yield started


@pytest.fixture
async def both(servers, no_listening, monkeypatch, redis_url, prefix):
    monkeypatch.setattr(Node, "server_class", socketio_cluster.AsyncServer)
    where = redis_url, prefix, redis_url, servers.kind, servers.key
    async with contextlib.AsyncExitStack() as stack:
        nodes = await stack.enter_async_context(three_nodes(redis_url, prefix, count=2))
        bridge = node_bridge(*where)
        await bridge.start()
        stack.push_async_callback(bridge.close)
        await eventually(lambda: all(bridge.manager.node_id in node.manager.node.bridges for node in nodes))
        await eventually(lambda: bridge.works)
        yield Both(nodes, servers, bridge, where)
        assert bridge.refused == {}


async def fence(both, clients):
    """Check that no client was sent anything more, by any server, than it has taken."""
    for number, node in enumerate(both.nodes):
        await node.sio.emit("fence", number)
        for one in clients:
            assert await one.next("fence") == [number]
    for number in range(2):
        await both.servers.run(f"servers[{number}].io.emit('fence', {number})")
        for one in clients:
            assert await one.next("fence") == [number]


async def until(ask, holds):
    """Ask Node.js's servers again and again, until the answer is the one that is waited for."""
    async with asyncio.timeout(SECONDS):
        while not holds(answer := await ask()):
            pass  # each question takes a way to the other process
    return answer


async def test_emits(both):
    """An emit of either side reaches each client once: to all, to rooms, to a sid, but for rooms and sids."""
    async with both.clients() as clients:
        sio, run = both.nodes[0].sio, both.servers.run
        ours, theirs = clients[1], clients[3]
        data = [{"price": 3}, "ü", None, 1.5, b"\0\xff"]
        await sio.emit("news", tuple(data))
        await run("servers[0].io.emit('news', {price: 3}, 'ü', null, 1.5, Buffer.from([0, 255]))")
        for one in clients:
            assert [await one.next("news") for _ in range(2)] == [data, data]
        for one in (ours, theirs):
            await sio.enter_room(one.sid, "a")
        await sio.enter_room(theirs.sid, "b")
        await sio.enter_room(ours.sid, "b")
        await sio.emit("rooms", 1, room=["a", "b"])
        await run("servers[0].io.to('a').to('b').emit('rooms', 2)")
        for one in (ours, theirs):  # before the next events, as those of two senders come in any order
            assert sorted([await one.next("rooms"), await one.next("rooms")]) == [[1], [2]]
        await sio.emit("room", 3, room="a", skip_sid=ours.sid)
        await run(f"servers[0].io.to('a').except({theirs.sid!r}).volatile.emit('room', 4)")
        for one, number in ((ours, 4), (theirs, 3)):
            assert await one.next("room") == [number]
        await sio.except_("a").emit("others", 5)
        await run("servers[0].io.except('a').emit('others', 6)")
        for one in (clients[0], clients[2]):
            assert sorted([await one.next("others"), await one.next("others")]) == [[5], [6]]
        await sio.emit("one", 7, to=theirs.sid)
        await run(f"servers[0].io.to({ours.sid!r}).emit('one', 8)")
        assert await theirs.next("one") == [7]
        assert await ours.next("one") == [8]
        await fence(both, clients)


async def test_moves(both):
    """Either side puts clients of the other into rooms, takes them out, and disconnects them."""
    async with both.clients("/chat") as clients:
        sio, run, namespace = both.nodes[0].sio, both.servers.run, {"namespace": "/chat"}
        ours, theirs = clients[1], clients[3]

        async def members(room, count):
            code = f"return (await servers[0].io.of('/chat').in({room!r}).fetchSockets()).map(s => s.id)"
            return await until(lambda: run(code), lambda found: len(found) == count)

        await run("servers[0].io.of('/chat').socketsJoin('all')")
        assert {*await members("all", 4)} == {one.sid for one in clients}
        await sio.sockets_leave("all", "all", except_=theirs.sid, **namespace)
        assert await members("all", 1) == [theirs.sid]
        await sio.sockets_join("red", **namespace)
        assert len(await members("red", 4)) == 4
        await run(f"servers[1].io.of('/chat').in({ours.sid!r}).socketsLeave('red')")
        assert ours.sid not in await members("red", 3)
        await sio.enter_room(theirs.sid, "blue", **namespace)
        await sio.leave_room(theirs.sid, "red", **namespace)
        assert theirs.sid not in await members("red", 2)
        await sio.close_room("red", **namespace)
        assert await members("red", 0) == []
        assert await members("blue", 1) == [theirs.sid]
        await run(f"servers[0].io.of('/chat').in({ours.sid!r}).disconnectSockets()")
        await sio.disconnect(theirs.sid, **namespace)
        for one in (ours, theirs):
            await asyncio.wait_for(one.gone.wait(), SECONDS)
        await sio.disconnect_sockets("all", **namespace)
        await run("servers[0].io.of('/chat').disconnectSockets(true)")
        for one in (clients[0], clients[2]):
            await asyncio.wait_for(one.gone.wait(), SECONDS)


async def test_questions(both):
    """Node.js's servers get our clients among theirs, with rooms and data, and everybody's answers."""
    async with both.clients() as clients:
        sio, run = both.nodes[1].sio, both.servers.run
        for one in clients:
            await sio.enter_room(one.sid, "room")
        await sio.save_session(clients[1].sid, {"name": "Ada", "key": b"\1"})
        found = await run(
            "return await servers[0].io.in('room').fetchSockets().then(all => all.map(s => "
            "({id: s.id, rooms: [...s.rooms].sort(), name: s.data.name, at: s.handshake.issued})))"
        )
        assert {one["id"]: one["rooms"] for one in found} == {
            one.sid: sorted([one.sid, "room"]) for one in clients
        }
        assert [one["name"] for one in found if one["id"] == clients[1].sid] == ["Ada"]
        assert all(one["at"] > 1e12 for one in found)
        known = {one.sid: one for one in await sio.fetch_sockets("room")}
        assert known.keys() == {one.sid for one in clients}
        theirs = known[clients[3].sid]
        assert (theirs.rooms, theirs.session) == (frozenset({"room"}), {"number": 1})
        assert theirs.node == both.bridge.manager.node_id
        assert await sio.count("room", except_=clients[3].sid) == 3
        assert await sio.count(where={"number": 1}) == 1
        assert await sio.fetch_rooms() == {"room": 4}
        if both.kind == "classic":
            rooms = await run("return [...await servers[0].io.of('/').adapter.allRooms()]")
            assert {"room", *(one.sid for one in clients)} <= set(rooms)
        answers = await run("return await servers[1].io.in('room').timeout(9000).emitWithAck('ask', 7)")
        assert answers == [7] * 4
        for one in clients:
            assert await one.next("ask") == [7]
        assert await sio.call("ask", 8, to=clients[3].sid) == 8
        assert await clients[3].next("ask") == [8]
        heard = asyncio.Queue()
        await sio.emit("ask", 9, room="room", callback=heard.put)
        assert [await asyncio.wait_for(heard.get(), SECONDS) for _ in range(4)] == [9] * 4
        for one in clients:
            assert await one.next("ask") == [9]
        await fence(both, clients)


async def test_server_events(both):
    """Events for servers cross in both directions, and Node.js's servers get our handlers' results."""
    heard = asyncio.Queue()
    for number, node in enumerate(both.nodes):
        node.sio.on_server("hello", lambda *args, number=number: heard.put_nowait(args) or f"ours {number}")
    run = both.servers.run
    await run("log.length = 0; servers[0].io.serverSideEmit('hello', {a: 1}, 2)")
    assert [await asyncio.wait_for(heard.get(), SECONDS) for _ in range(2)] == [({"a": 1}, 2)] * 2
    await both.nodes[0].sio.server_side_emit("hello", (3, "x"))
    assert await asyncio.wait_for(heard.get(), SECONDS) == (3, "x")
    told = await until(both.servers.log, lambda log: len(log) >= 3)
    assert sorted(told, key=str) == [[0, "hello", 3, "x"], [1, "hello", 3, "x"], [1, "hello", {"a": 1}, 2]]
    answers = await run("return await servers[0].io.serverSideEmitWithAck('hello', 4)")
    assert "node 1" in answers
    assert [sorted(one) for one in answers if isinstance(one, list)] == [["ours 0", "ours 1"]]
    assert len(answers) == 2
    assert await both.nodes[0].sio.server_side_emit_with_ack("hello", 5) == {
        both.nodes[1].manager.node_id: "ours 1"
    }


@pytest.mark.parametrize("servers", ["classic"], indirect=True, scope="module")
async def test_emitter(both):
    """@socket.io/redis-emitter reaches our clients, moves and disconnects them, and talks to our servers."""
    heard = asyncio.Queue()
    both.nodes[0].sio.on_server("hello", heard.put_nowait)
    async with both.clients() as clients:
        run = both.servers.run
        await run("emitter.emit('news', 1); emitter.socketsJoin('all'); emitter.serverSideEmit('hello', 2)")
        await run(
            "emitter.to('all').to('none').except('muted').emit('news', 3); emitter.to('all').emit('news', 4)"
        )
        for one in clients:
            assert [await one.next("news") for _ in range(3)] == [[1], [3], [4]]
        assert await asyncio.wait_for(heard.get(), SECONDS) == 2
        await run("emitter.in('all').socketsLeave('all'); emitter.to('all').emit('news', 5)")
        await fence(both, clients)
        await run("emitter.disconnectSockets()")
        for one in clients:
            await asyncio.wait_for(one.gone.wait(), SECONDS)


@pytest.mark.parametrize("servers", ["classic"], indirect=True, scope="module")
async def test_two_bridges(both):
    """With a second bridge nothing comes twice, and questions are answered once, by the one that works."""
    other = node_bridge(*both.where)
    await other.start()
    try:
        await eventually(lambda: other.reached and other._turns.is_peer(both.bridge.manager.node_id))
        async with both.clients() as clients:
            await both.nodes[0].sio.emit("news", 1)
            await both.servers.run("servers[0].io.emit('news', 2)")
            for one in clients:
                assert sorted([await one.next("news"), await one.next("news")]) == [[1], [2]]
            found = await both.servers.run("return (await servers[0].io.fetchSockets()).map(s => s.id)")
            assert sorted(found) == sorted(one.sid for one in clients)
            assert (
                await both.servers.run("return await servers[1].io.timeout(9000).emitWithAck('n', 3)")
                == [3] * 4
            )
            for one in clients:
                assert await one.next("n") == [3]
            await fence(both, clients)
        await eventually(lambda: both.bridge.works and not other.works)
    finally:
        await other.close()
