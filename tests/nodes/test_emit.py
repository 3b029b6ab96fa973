"""What is emitted on any node reaches exactly the clients it is meant for, wherever they are."""

from __future__ import annotations

from enum import Enum

import pytest
import socketio
from socketio.exceptions import TimeoutError as NoAnswer

from tests.harness import SECONDS, fence

PAYLOADS = [
    ("text", ["text"]),
    ("", [""]),
    ("žluťoučký 🐎", ["žluťoučký 🐎"]),
    (b"\x00\xff", [b"\x00\xff"]),
    (b"", [b""]),
    (["a", 1, None, True], [["a", 1, None, True]]),
    ([], [[]]),
    ({"a": {"b": [1.5, -2]}}, [{"a": {"b": [1.5, -2]}}]),
    (("one", {"two": 2}, [3]), ["one", {"two": 2}, [3]]),
    (("text", b"bytes", None), ["text", b"bytes", None]),
    (None, []),
    ((), []),
    (0, [0]),
    ({"deep": [{"bin": b"\x01\x02"}, b"\x03"]}, [{"deep": [{"bin": b"\x01\x02"}, b"\x03"]}]),
]


async def test_everyone(nodes, connect_any):
    """An emit without a room reaches every client of every node once, whichever node makes it."""
    clients = [await connect_any(node) for node in nodes]
    for number, node in enumerate(nodes):
        await node.sio.emit("news", number)
        for one in clients:
            assert await one.next("news") == [number]
        await fence(node, *clients)


async def test_namespace(nodes, connect_any):
    """An emit to a namespace reaches the clients of that namespace and no others."""
    chats = [await connect_any(node, namespace="/chat") for node in nodes]
    main = await connect_any(nodes[2])
    await nodes[0].sio.emit("news", 1, namespace="/chat")
    for one in chats:
        assert await one.next("news") == [1]
    await fence(nodes[0], *chats, namespace="/chat")
    await fence(nodes[0], main)


class Space(str, Enum):  # noqa: UP042
    """Namespaces as an application may name them. In an f-string such a member is not its value."""

    CHAT = "/chat"


class Text(str):
    """A text that MessagePack does not take."""


@pytest.mark.parametrize("namespace", [Space.CHAT, Text("/chat")], ids=["enum", "subclass"])
async def test_a_namespace_of_another_class(nodes, connect, namespace):
    """A namespace may be given as an enum's member or another kind of text, for clients of any node."""
    here, there = [await connect(node, namespace="/chat") for node in nodes[:2]]
    sio = nodes[0].sio
    await sio.emit("news", 1, namespace=namespace)
    for one in (here, there):
        assert await one.next("news") == [1]
        await sio.enter_room(one.sid, "blue", namespace=namespace)
    await sio.emit("paint", 1, room="blue", namespace=namespace)
    assert [await one.next("paint") for one in (here, there)] == [[1], [1]]
    await sio.leave_room(there.sid, "blue", namespace=namespace)
    await sio.emit("paint", 2, room="blue", namespace=namespace)
    assert await here.next("paint") == [2]
    await sio.close_room("blue", namespace=namespace)
    await sio.emit("paint", 3, room="blue", namespace=namespace)
    assert await sio.call("ask", "who", to=there.sid, namespace=namespace, timeout=SECONDS) == "who"
    assert await there.next("ask") == ["who"]
    await fence(nodes[0], here, there, namespace="/chat")
    await sio.disconnect(there.sid, namespace=namespace)
    await there.gone.wait()
    manager = nodes[0].manager
    node = getattr(manager, "_inner", manager).node  # that of a threaded manager is in another thread
    channel = node.channels.namespace("/chat")
    assert node.subscribed_to(channel)
    await sio.disconnect(here.sid, namespace=namespace)
    await here.gone.wait()
    assert not node.subscribed_to(channel)


async def test_room(nodes, connect_any):
    """An emit to a room reaches its members on all nodes and nobody else."""
    members = [await connect_any(node) for node in nodes]
    others = [await connect_any(node) for node in nodes]
    for node, one in zip(nodes, members, strict=True):
        await node.sio.enter_room(one.sid, "blue")
    for number, node in enumerate(nodes):
        await node.sio.emit("paint", number, room="blue")
        for one in members:
            assert await one.next("paint") == [number]
        await fence(node, *members, *others)


async def test_rooms_named_by_numbers(nodes, connect):
    """Room 7 and room "7" are two rooms."""
    number, text = await connect(nodes[1]), await connect(nodes[1])
    await nodes[1].sio.enter_room(number.sid, 7)
    await nodes[1].sio.enter_room(text.sid, "7")
    await nodes[0].sio.emit("to", "number", room=7)
    await nodes[0].sio.emit("to", "text", room="7")
    assert await number.next("to") == ["number"]
    assert await text.next("to") == ["text"]
    await fence(nodes[0], number, text)


async def test_overlapping_rooms(nodes, connect_any):
    """A member of several rooms of a list gets the event once, and a sid in the list counts as a room."""
    clients = [await connect_any(node) for node in nodes]
    outsider = await connect_any(nodes[1])
    for node, one in zip(nodes, clients, strict=True):
        await node.sio.enter_room(one.sid, "red")
        await node.sio.enter_room(one.sid, "blue")
    await nodes[0].sio.emit("mix", 1, room=["red", "blue", "nobody", clients[2].sid])
    for one in clients:
        assert await one.next("mix") == [1]
    await nodes[0].sio.emit("mix", 2, to=[clients[1].sid, outsider.sid, clients[1].sid])
    for one in (clients[1], outsider):
        assert await one.next("mix") == [2]
    await fence(nodes[0], *clients, outsider)


async def test_sid(nodes, connect_any):
    """An emit to a sid reaches that client from every node, and nobody else."""
    target, neighbour = await connect_any(nodes[2]), await connect_any(nodes[2])
    for number, node in enumerate(nodes):
        await node.sio.emit("you", number, to=target.sid)
        assert await target.next("you") == [number]
        await fence(node, target, neighbour)


async def test_unknown_sid(nodes, connect):
    """An emit to a sid or a room that nobody has is no error and reaches nobody."""
    one = await connect(nodes[1])
    gone = await connect(nodes[2])
    sid = gone.sid
    await gone.disconnect()
    for target in (sid, "nobody", [sid, "nobody"]):
        await nodes[0].sio.emit("you", to=target)
    await fence(nodes[0], one)


@pytest.mark.parametrize("room", [None, "blue", ["blue", "red"]], ids=["all", "room", "rooms"])
async def test_skip_sid(nodes, connect, room):
    """The clients named by skip_sid get nothing, one or a list, on whichever node they are."""
    clients = [await connect(node) for node in nodes]
    for node, one in zip(nodes, clients, strict=True):
        await node.sio.enter_room(one.sid, "blue")
        await node.sio.enter_room(one.sid, "red")
    sids = [one.sid for one in clients]
    for number, skip in enumerate([sids[0], sids[1], [sids[2]], sids[:2], sids[1:], sids, []]):
        skipped = [skip] if isinstance(skip, str) else skip
        await nodes[0].sio.emit("some", number, room=room, skip_sid=skip)
        for one in clients:
            if one.sid not in skipped:
                assert await one.next("some") == [number]
    await fence(nodes[0], *clients)


@pytest.mark.parametrize("serializer", ["default", "msgpack"])
async def test_payloads(nodes, connect_any, serializer):
    """Text, bytes, lists, dicts, several arguments, nothing and nested bytes arrive intact, both ways."""
    here, there = await connect_any(nodes[0]), await connect_any(nodes[1])
    for data, expected in PAYLOADS:
        await nodes[0].sio.emit("data", data)
        assert await here.next("data") == expected
        assert await there.next("data") == expected
        assert await there.call("data", *expected) == expected
    assert [list(args) for _, _, *args in nodes[1].log[1:]] == [expected for _, expected in PAYLOADS]


async def test_send(nodes, connect_any):
    """``send`` makes a message event, to all and to one client of another node."""
    here, there = await connect_any(nodes[0]), await connect_any(nodes[1])
    await nodes[0].sio.send({"to": "all"})
    await nodes[0].sio.send(b"to you", to=there.sid)
    assert await here.next("message") == [{"to": "all"}]
    assert await there.next("message") == [{"to": "all"}]
    assert await there.next("message") == [b"to you"]
    await fence(nodes[0], here, there)


async def test_emit_in_a_handler(nodes, connect_any):
    """A handler can answer its client, tell everyone else and tell one client of another node, in order."""
    asker, other = await connect_any(nodes[0]), await connect_any(nodes[1])

    @nodes[0].sio.event
    async def ask(sid, words):
        await nodes[0].sio.emit("others", words, skip_sid=sid)
        await nodes[0].sio.emit("you", words, to=sid)
        await nodes[0].sio.emit("other", words, to=other.sid)

    await asker.emit("ask", "hello")
    assert await asker.next("you") == ["hello"]
    assert await other.next("others") == ["hello"]
    assert await other.next("other") == ["hello"]
    await fence(nodes[0], asker, other)


async def test_event_named_like_the_handler_of_all_others(nodes, connect):
    """For an event named ``*`` that handler gets the name and the sid of its client, and nobody else's."""
    one, victim = await connect(nodes[0]), await connect(nodes[0])
    assert await one.call("*", victim.sid, 1) == [victim.sid, 1]
    assert nodes[0].log[-1] == ("*", one.sid, victim.sid, 1)


async def test_rooms_are_per_namespace(nodes, connect):
    """The same room name in two namespaces is two rooms."""
    main, chat = await connect(nodes[1]), await connect(nodes[1], namespace="/chat")
    await nodes[1].sio.enter_room(main.sid, "blue")
    await nodes[1].sio.enter_room(chat.sid, "blue", namespace="/chat")
    await nodes[0].sio.emit("to", "chat", room="blue", namespace="/chat")
    await nodes[0].sio.emit("to", "main", room="blue")
    assert await chat.next("to") == ["chat"]
    assert await main.next("to") == ["main"]
    await fence(nodes[0], main)
    await fence(nodes[0], chat, namespace="/chat")


class Friends(socketio.AsyncNamespace):
    """A class namespace; the tests use its methods."""


@pytest.mark.parametrize("way", ["to", "room"])
@pytest.mark.parametrize("nobody", [[], (), set(), 0, ""], ids=repr)
async def test_only_none_is_everybody(nodes, connect, nobody, way):
    """An empty list of rooms is nobody, and 0 and "" are rooms: for emit, send, call and class namespaces."""
    friends = Friends("/chat")
    friends._set_server(nodes[0].sio)  # what register_namespace does, for a threaded server too
    clients = [await connect(node, namespace="/chat") for node in nodes]
    await friends.emit("secret", **{way: nobody})
    await friends.send("secret", **{way: nobody})
    await nodes[0].sio.emit("secret", namespace="/chat", **{way: nobody})
    await nodes[0].sio.send("secret", namespace="/chat", **{way: nobody})
    with pytest.raises(NoAnswer):
        await nodes[0].sio.call("secret", to=nobody, sid=clients[0].sid, namespace="/chat", timeout=0.2)
    await fence(nodes[0], *clients, namespace="/chat")
    await friends.emit("news", to=None, room=None)
    for one in clients:
        assert await one.next("news") == []


@pytest.mark.parametrize("room", [0, ""], ids=repr)
async def test_rooms_that_are_false(nodes, connect, room):
    """A room named 0 or "" has its members like any other."""
    clients = [await connect(node) for node in nodes]
    for node, one in zip(nodes[:2], clients[:2], strict=True):
        await node.sio.enter_room(one.sid, room)
    await nodes[0].sio.emit("n", 1, to=room)
    await nodes[0].sio.emit("n", 2, room=[room])
    for one in clients[:2]:
        assert [await one.next("n"), await one.next("n")] == [[1], [2]]
    await fence(nodes[0], *clients)


@pytest.mark.parametrize("skip", [42, [42], [b"x"], b"x", ["ok", ["a"]]], ids=repr)
async def test_odd_skip_sid(nodes, connect, skip):
    """What is no sid is refused where it is said, before any client, here or elsewhere, has the event."""
    clients = [await connect(node) for node in nodes]
    with pytest.raises(TypeError, match="skip_sid"):
        await nodes[0].sio.emit("news", skip_sid=skip)
    with pytest.raises(ValueError):
        await nodes[0].sio.emit("news", skip_sid=["\ud800"])
    for none in (None, [], [None], ["nobody"]):
        await nodes[0].sio.emit("all", skip_sid=none)
    for one in clients:
        assert [await one.next("all") for _ in range(4)] == [[]] * 4
