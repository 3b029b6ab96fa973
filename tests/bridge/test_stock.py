"""Clients of our nodes and of python-socketio's own servers are one cluster, with a bridge between them."""

from __future__ import annotations

import asyncio
import json
import pickle

import socketio
from redis.asyncio import Redis

from tests.harness import client, eventually


async def fence_all(both):
    """Check that no client was sent anything else, by any server, than it has taken."""
    for number, server in enumerate(both.all):
        await server.sio.emit("fence", number)
        for one in both.clients:
            assert await one.next("fence") == [number]


async def test_emits(both):
    """An emit of any server to all, rooms, sids and lists reaches each recipient in either cluster once."""
    data = ({"price": 3}, [1, "ü"], None, b"\0\xff", {"in": [b"a"]})
    for server, one in zip(both.all, both.clients, strict=True):
        await server.sio.enter_room(one.sid, "red")
    await both.nodes[1].sio.enter_room(both.clients[1].sid, 7)
    await both.servers[1].sio.enter_room(both.clients[3].sid, 7)
    sids = [one.sid for one in both.clients]
    for emitter in both.all:
        await emitter.sio.emit("news", data)
        await emitter.sio.emit("bare")
        await emitter.sio.emit("red", [1, 2], room="red", skip_sid=sids[0])
        await emitter.sio.emit("many", "x", to=["red", 7, sids[2]], skip_sid=[sids[1], sids[3]])
        for one in both.clients:
            assert await one.next("news") == [{"price": 3}, [1, "ü"], None, b"\0\xff", {"in": [b"a"]}]
            assert await one.next("bare") == []
            if one.sid != sids[0]:
                assert await one.next("red") == [[1, 2]]
            if one.sid in (sids[0], sids[2]):
                assert await one.next("many") == ["x"]
        for one in both.clients:
            await emitter.sio.emit("yours", one.sid, to=one.sid)
            assert await one.next("yours") == [one.sid]
    await fence_all(both)


async def test_namespaces(both):
    """An event of another namespace reaches only clients there."""
    async with (
        client(both.nodes[0], namespace="/chat") as ours,
        client(both.servers[0], namespace="/chat") as theirs,
    ):
        for server in both.all:
            await server.sio.emit("hello", 1, namespace="/chat")
            assert await ours.next("hello") == await theirs.next("hello") == [1]
        await fence_all(both)


async def test_calls(both):
    """``call`` of any server is answered by a client of either cluster, once, and so is a callback."""
    for server, one in ((server, one) for server in both.all for one in both.clients):
        assert await server.sio.call("ask", ("a", 2), to=one.sid, timeout=15) == ("a", 2)
        assert await one.next("ask") == ["a", 2]
    await both.servers[0].sio.enter_room(both.clients[2].sid, "red")
    answers = []
    await both.nodes[0].sio.emit("who", "?", room="red", callback=lambda *args: answers.append(args))
    await eventually(lambda: answers == [("?",)])
    assert await both.clients[2].next("who") == ["?"]
    await fence_all(both)


async def test_moves(both):
    """Any server puts a client of either cluster into rooms and takes it out; a room closes in both."""
    one, other = both.nodes[0], both.servers[0]
    for asker, emitter, target in ((one, other, both.clients[3]), (other, one, both.clients[1])):
        await asker.sio.enter_room(target.sid, "red")
        await asker.sio.emit("red", 1, room="red")
        assert await target.next("red") == [1]
        await emitter.sio.emit("red", 2, room="red")
        assert await target.next("red") == [2]
        await asker.sio.leave_room(target.sid, "red")
        await asker.sio.emit("red", 3, room="red")
        await asker.sio.enter_room(target.sid, target.sid[:5])
        await asker.sio.emit("blue", 4, room=target.sid[:5])
        assert await target.next("blue") == [4]
    for closer in (one, other):
        await one.sio.enter_room(both.clients[0].sid, "blue")
        await both.servers[1].sio.enter_room(both.clients[3].sid, "blue")
        await closer.sio.close_room("blue")
        await closer.sio.emit("blue", 5, room="blue")
        await fence_all(both)


async def test_unknown_and_disconnects(both):
    """Any server disconnects a client of either cluster, and a sid that nobody has does no harm."""
    for server in (both.servers[0], both.nodes[0]):
        await server.sio.disconnect("x" * 20)
        await server.sio.leave_room("x" * 20, "red")
    await fence_all(both)
    for asker, number in ((both.nodes[0], 3), (both.servers[0], 1)):
        target, home = both.clients[number], both.all[number]
        sid = target.sid
        await asker.sio.disconnect(sid)
        await asyncio.wait_for(target.gone.wait(), 15)
        await eventually(lambda home=home, sid=sid: ("disconnect", sid, "server disconnect") in home.log)


async def test_write_only(both):
    """python-socketio's write-only managers, as a Celery task has, reach the clients of both clusters."""
    manager = socketio.AsyncRedisManager(both.redis_url, channel=both.channel, write_only=True)
    await manager.enter_room(both.clients[0].sid, "/", "red")
    await manager.emit("job", {"done": b"\1"}, room="red")
    assert await both.clients[0].next("job") == [{"done": b"\1"}]
    await asyncio.to_thread(_emit_as_flask_does, both.redis_url, both.channel)
    for one in both.clients:
        assert await one.next("job") == [2]
    await manager.can_disconnect(both.clients[1].sid, "/")
    await asyncio.wait_for(both.clients[1].gone.wait(), 15)
    await manager.redis.aclose()


def _emit_as_flask_does(url, channel):
    manager = socketio.RedisManager(url, channel=channel, write_only=True)
    manager.emit("job", 2, namespace="/")
    manager.redis.close()


async def test_what_is_no_message(both):
    """What is no message is counted and dropped, a pickle that would run something first of all."""
    evil = pickle.dumps({"method": "emit", "event": "x", "data": print, "namespace": "/"})
    wrong = [
        b"",
        b"\xff",
        b"[]",
        evil,
        json.dumps({"method": "emit", "event": "x"}).encode(),
        json.dumps({"method": "emit", "event": "x", "data": ["a"], "room": {"a": 1}}).encode(),
        json.dumps({"method": "emit", "event": "disconnect", "data": ["a"]}).encode(),
        json.dumps(
            {"method": "emit", "event": "x", "data": [{"_placeholder": True, "num": 9}], "binary": 1}
        ).encode(),
        json.dumps({"method": "enter_room", "sid": 5, "room": "r"}).encode(),
        b"[" * 100_000,
    ]
    async with Redis.from_url(both.redis_url) as redis:
        for payload in wrong:
            await redis.publish(both.channel, payload)
        old = {
            "method": "emit",
            "event": "old",
            "data": ("a", b"b"),
            "namespace": "/",
            "room": None,
            "host_id": "h",
        }
        await redis.publish(both.channel, pickle.dumps(old))  # of python-socketio 5.13
    for one in both.clients[:2]:
        assert await one.next("old") == ["a", b"b"]
    assert sum(both.bridge.refused.values()) == len(wrong)
    assert both.bridge.refused["pickle"] == 1
    assert both.bridge.inward["Event"] == 1


async def test_orders(both):
    """A flood from every server at once reaches every client whole, once, and in the order of each server."""
    count = 100

    async def flood(number, server):
        for each in range(count):
            await server.sio.emit("tick", (number, each))

    await asyncio.gather(*(flood(number, server) for number, server in enumerate(both.all)))
    for one in both.clients:
        ledger = {}
        for _ in range(4 * count):
            number, each = await one.next("tick")
            ledger.setdefault(number, []).append(each)
        assert ledger == {number: list(range(count)) for number in range(4)}
    await fence_all(both)
