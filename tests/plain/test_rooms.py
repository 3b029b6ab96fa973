"""Plain clients beside Socket.IO ones: the same sids, rooms, acks and disconnects, on every node."""

from __future__ import annotations

import asyncio

import pytest

from tests.harness import SECONDS, client, eventually
from tests.plain.plain import plain, plain_nodes


@pytest.fixture
async def nodes(local_url, prefix):
    async with plain_nodes(local_url, prefix) as nodes:
        yield nodes


async def test_event_reaches_handler_and_answer_the_client(nodes):
    """An ordinary handler gets room and data as its arguments, and what it returns is the answer."""
    async with plain(nodes[0]) as one:
        assert await one.ask(event="say", room="tea", data={"text": "hi"}) == {
            "ack": 1,
            "data": ["tea", {"text": "hi"}],
        }
        assert nodes[0].log[-1] == ("say", one.sid, "tea", {"text": "hi"})


async def test_sid_names_the_node(nodes):
    """A plain client's sid has the form and the node of any other."""
    async with plain(nodes[1]) as one:
        assert len(one.sid) == 20
        assert one.sid.startswith(nodes[1].manager.node_id)


async def test_emit_reaches_both_kinds_on_both_nodes(nodes):
    """One emit to a room reaches plain and Socket.IO clients of two nodes, but not the one skipped."""
    here, there = nodes
    async with plain(here) as one, plain(there) as two, client(here) as three, client(there) as four:
        for node, member in ((here, one), (there, two), (here, three), (there, four)):
            await node.sio.enter_room(member.sid, "tea")
        await there.sio.emit("said", {"text": "hi"}, room="tea", skip_sid=two.sid)
        assert await one.hear() == {"event": "said", "room": "tea", "data": {"text": "hi"}}
        assert await three.next("said") == [{"text": "hi"}]
        assert await four.next("said") == [{"text": "hi"}]
        await there.sio.emit("mark")
        assert await two.hear() == {"event": "mark"}


async def test_emit_to_sid_has_no_room(nodes):
    """What is meant for one client, from the other node too, does not name a room."""
    async with plain(nodes[0]) as one:
        await nodes[1].sio.emit("said", 1, to=one.sid)
        assert await one.hear() == {"event": "said", "data": 1}


async def test_another_node_moves_a_plain_client(nodes):
    """Another node puts a plain client into a room and takes it out of all by disconnecting it."""
    here, there = nodes
    async with plain(here) as one:
        await there.sio.enter_room(one.sid, "tea")
        await there.sio.emit("said", room="tea")
        assert await one.hear() == {"event": "said", "room": "tea"}
        await there.sio.disconnect(one.sid)
        assert await one.closed() == (1000, "server disconnect")
        await eventually(lambda: here.log[-1] == ("disconnect", one.sid, "server disconnect"))
        await eventually(lambda: here.empty and not here.sio.eio.sockets)


async def test_call_across_nodes(nodes):
    """``call()`` on the other node returns what a plain client answers."""
    async with plain(nodes[0]) as one:
        asking = asyncio.create_task(nodes[1].sio.call("age", "of the cat", to=one.sid, timeout=SECONDS))
        asked = await one.hear()
        assert (asked["event"], asked["data"]) == ("age", "of the cat")
        await one.say(ack=asked["ack"], data=[7, "years"])
        assert await asking == [7, "years"]


async def test_binary_both_ways(nodes):
    """Bytes travel behind a line of JSON, and within other data as base64."""
    async with plain(nodes[0]) as one:
        await one.ws.send(b'{"event":"photo","ack":3}\n\x00\n\xff')
        assert await one.hear() == b'{"ack":3}\n\x00\n\xff'
        assert nodes[0].log[-1] == ("photo", one.sid, b"\x00\n\xff")
        await nodes[1].sio.emit("photo", b"\x01\x02")
        assert await one.hear() == b'{"event":"photo"}\n\x01\x02'
        await nodes[1].sio.emit("photo", {"of": b"\x01\x02"})
        assert await one.hear() == {"event": "photo", "data": {"of": {"base64": "AQI="}}}


async def test_disconnect_handler_hears_why(nodes):
    """A client that closes has left; one whose connection breaks is lost."""
    async with plain(nodes[0]) as one:
        await one.ws.close()
        await eventually(lambda: nodes[0].log[-1] == ("disconnect", one.sid, "client disconnect"))
    async with plain(nodes[0]) as two:
        two.ws.transport.abort()
        await eventually(lambda: nodes[0].log[-1] == ("disconnect", two.sid, "transport close"))
    await eventually(lambda: nodes[0].empty and not nodes[0].sio.eio.sockets)


async def test_session_is_kept(nodes):
    """python-socketio's session and environ work for a plain client."""
    here = nodes[0]
    async with plain(here, "/ws?token=abc") as one:
        await here.sio.save_session(one.sid, {"name": "Ada"})
        assert await here.sio.get_session(one.sid) == {"name": "Ada"}
        assert here.sio.get_environ(one.sid)["QUERY_STRING"] == "token=abc"
        assert here.sio.transport(one.sid) == "websocket"


async def test_order_is_kept(nodes):
    """A thousand events of another node arrive in their order."""
    async with plain(nodes[0]) as one:
        for number in range(1000):
            await nodes[1].sio.emit("n", number)
        assert [(await one.hear())["data"] for _ in range(1000)] == list(range(1000))


async def test_event_is_encoded_once(nodes):
    """However many plain clients a node has, the codec sees an emit once."""
    here = nodes[0]
    codec, seen = here.plain.codec, []
    here.plain.codec.encode = lambda message: seen.append(message.event) or type(codec).encode(codec, message)
    async with plain(here) as one, plain(here) as two, plain(here) as three:
        seen.clear()
        await nodes[1].sio.emit("said", "x")
        assert [await each.hear() for each in (one, two, three)] == [{"event": "said", "data": "x"}] * 3
        assert seen == ["said"]
