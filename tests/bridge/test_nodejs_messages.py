"""The messages of Node.js's adapters, read and written without a server."""

from __future__ import annotations

import contextlib
import json
import random
from datetime import UTC, datetime

import msgspec
import pytest

from socketio_cluster.manager.bridge.commands import (
    Answer,
    Ask,
    Close,
    Disconnect,
    Enter,
    Event,
    Expel,
    Join,
    Leave,
    Part,
    ServerAnswer,
    ServerEvent,
    Sign,
    Told,
    Whom,
    answer_of_nobody,
)
from socketio_cluster.manager.bridge.dialect import BridgeError
from socketio_cluster.manager.bridge.nodejs.classic import Classic
from socketio_cluster.manager.bridge.nodejs.sharded import Sharded, room_channels
from socketio_cluster.manager.queries.socket_info import SocketInfo

ME, OTHER = "AAAAAAAA", "BBBBBBBB"
DIALECTS = [Classic, Sharded]
CHANNELS = {
    Classic: ["socket.io#/#", "socket.io-request#/#", "socket.io-response#/#", "socket.io-bridge#"],
    Sharded: ["socket.io#/#", f"socket.io#/#bridge-{ME}#", "socket.io-bridge#"],
}
pack = msgspec.msgpack.encode
dialects = pytest.mark.parametrize("kind", DIALECTS)


def bridge(kind, node=ME, peers=()):
    return kind(node, lambda other: other in peers, ("/", "/chat"))


@dialects
@pytest.mark.parametrize(
    ("command", "read"),
    [
        (Event("/", ["a", 1, b"\0"]), None),
        (
            Event("/chat", ["a"], ["r", "s"], ("x" * 20,), ("t",), volatile=True),
            Event("/chat", ["a"], ["r", "s"], (), ("x" * 20, "t"), volatile=True),
        ),
        (Event("/", ["a"], ["r"]), None),
        (Join(Whom("/", None, ("b",)), ["c"]), None),
        (Part(Whom("/", ["a"]), ["b", "c"]), None),
        (Expel(Whom("/chat", ["a"])), None),
        (Enter("/", "x" * 20, "a"), Join(Whom("/", ["x" * 20]), ["a"])),
        (Leave("/", "x" * 20, "a"), Part(Whom("/", ["x" * 20]), ["a"])),
        (Close("/", "a"), Part(Whom("/", ["a"]), ["a"])),
        (Disconnect("/", "x" * 20), Expel(Whom("/", ["x" * 20]))),
        (ServerEvent("/", ["a", {"b": 1}]), None),
        (Sign(ME, 12.5, True), None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_there_and_back(kind, command, read):
    """What a bridge writes says the same to a server that does not know it, and nothing to a bridge."""
    (post,) = bridge(kind).write(command)
    assert bridge(kind, OTHER).read(*post) == [command if read is None else read]
    assert bridge(kind).read(*post) == []
    if not isinstance(command, Sign):
        assert bridge(kind, OTHER, {ME}).read(*post) == []


@dialects
def test_asked_event(kind):
    """An event that asks for answers says so, counts the clients, and each answer finds who has asked."""
    mine, theirs = bridge(kind), bridge(kind, OTHER)
    (post,) = mine.write(Event("/", ["q"], ["r"], reply_to=("CCCCCCCC", 12)))
    count, event = theirs.read(*post)
    assert count == Ask(Whom("/", ["r"]), event.reply_to, count=True)
    assert answer_of_nobody(count) == Told(event.reply_to, 0)
    (counted,) = theirs.write(Told(event.reply_to, 3))
    (answer,) = theirs.write(Answer(event.reply_to, [b"\1", "the second is lost in Node.js too"]))
    assert mine.read(*counted) == []
    assert mine.read(*answer) == [Answer(("CCCCCCCC", 12), [b"\1"])]


def test_questions_of_classic():
    """Each question of the classic adapter is answered on the channel where its server waits."""
    one = SocketInfo("x" * 20, ME, "/", frozenset({"r"}), 1.5, "10.0.0.1", "websocket", {"key": b"\1"})
    mine = bridge(Classic)
    for kind, fields, name, value in [
        (0, {"rooms": ["r"]}, "sockets", ["x" * 20]),
        (1, {}, "rooms", ["r", "x" * 20]),
        (6, {"data": ["hello"]}, "data", [7]),
    ]:
        request = {"uid": "abcdef", "requestId": "q1", "type": kind} | fields
        (question,) = mine.read("socket.io-request#/#", json.dumps(request).encode())
        answer = ServerAnswer(question.reply_to, [7]) if kind == 6 else Told(question.reply_to, [one])
        (post,) = mine.write(answer)
        said = json.loads(post.payload)
        assert (post.channel, said["requestId"]) == ("socket.io-response#/#", "q1")
        assert (sorted(said[name]) if kind == 1 else said[name]) == value
        assert answer_of_nobody(question) is not None


@dialects
def test_description(kind):
    """A client is described with its rooms, its own too, its session, and what is known of its handshake."""
    one = SocketInfo("x" * 20, ME, "/", frozenset({"r"}), 1.5, "10.0.0.1", "websocket", {"key": b"\1"})
    (post,) = bridge(kind).write(Told(("/", 5, "q1") if kind is Classic else ("/", "u", "q1"), [one]))
    said = msgspec.msgpack.decode(post.payload)
    (client,) = (said if kind is Classic else said["data"])["sockets"]
    assert client["id"] == "x" * 20
    assert sorted(client["rooms"]) == ["r", "x" * 20]
    assert client["data"] == {"key": b"\1"}
    assert (client["handshake"]["address"], client["handshake"]["issued"]) == ("10.0.0.1", 1500)


BROKEN = [
    b"",
    b"{",
    b"\xc1",
    b"[]",
    b"7",
    b"{}",
    b"{" * 100_000,
    b"\x91" * 100_000,
    pack([]),
    pack(["u", None, {}]),
    pack(["u", {"type": 2, "data": ["a"], "nsp": "/"}, None]),
    pack(["u", {"type": 2, "data": [], "nsp": "/"}, {"rooms": []}]),
    pack(["u", {"type": 3, "data": ["a"], "nsp": "/"}, {"rooms": []}]),
    pack(["u", {"type": 2, "data": ["a"], "nsp": "/"}, {"rooms": [None]}]),
    pack(["u", {"type": 2, "data": ["a"], "nsp": ["/"]}, {"rooms": []}]),
    pack({"uid": "u", "nsp": "/", "type": 99, "data": {}}),
    pack({"uid": "u", "nsp": "/", "type": [], "data": []}),
    pack({"uid": "u", "nsp": "/", "type": 4, "data": {"opts": {"rooms": "all"}, "rooms": []}}),
    b'{"uid": "u", "type": 2, "opts": {"rooms": ["a"]}, "rooms": {"b": 1}}',
    b'{"uid": "u", "type": 7, "packet": {"type": 2, "data": ["a"]}, "opts": []}',
    b'{"uid": "u", "type": 6, "data": [5]}',
    b'{"uid": "u", "nsp": "/", "type": 9, "data": {"packet": "a"}}',
    b'{"uid": ["u"], "since": "then", "able": 1}',
    pack(msgspec.msgpack.Ext(7, b"x")),
]


@dialects
@pytest.mark.parametrize("payload", BROKEN, ids=lambda payload: repr(payload[:60]))
def test_what_is_no_message(kind, payload):
    """Bytes that are no message are refused with a reason, or say nothing; none carries anything out."""
    for channel in CHANNELS[kind]:
        try:
            assert list(bridge(kind).read(channel, payload)) == []
        except BridgeError as error:
            assert error.reason in ("malformed", "unknown")


@dialects
@pytest.mark.parametrize("seed", range(3))
def test_noise(kind, seed):
    """A message of which some bytes are changed is read, or refused with a reason."""
    chance = random.Random(seed)
    other = bridge(kind, OTHER)
    commands = [Event("/", ["a", b"\0"], ["r"]), Join(Whom("/", ["a"]), ["b"]), ServerEvent("/", ["a", 1])]
    for post in [post for command in commands for post in other.write(command)]:
        for _ in range(400):
            raw = bytearray(post.payload)
            for _ in range(chance.randint(1, 4)):
                raw[chance.randrange(len(raw))] = chance.randrange(256)
            with contextlib.suppress(BridgeError):
                bridge(kind).read(post.channel, bytes(raw))


@dialects
def test_dates_and_what_has_no_words(kind):
    """A date becomes a text; an event for no room, and data that has no bytes, are refused."""
    packet = {"type": 2, "data": ["a", datetime(2026, 1, 2, tzinfo=UTC)], "nsp": "/"}
    payload = ["u", packet, {"rooms": []}]
    if kind is Sharded:
        payload = {"uid": "u", "nsp": "/", "type": 3, "data": {"packet": packet, "opts": {"rooms": []}}}
    (event,) = bridge(kind).read("socket.io#/#", pack(payload))
    assert event.args[1].startswith("2026-01-02T00:00:00")
    for wrong in (Event("/", ["a"], []), Event("/", ["a", 2**70]), ServerEvent("/", ["a", object()])):
        with pytest.raises(BridgeError):
            bridge(kind).write(wrong)


def test_other_namespaces():
    """A message of a namespace that the bridge does not serve, or on another's channel, says nothing."""
    for namespace in ("/other", "/chat"):
        packet = {"type": 2, "data": ["a"], "nsp": namespace}
        assert bridge(Classic).read("socket.io#/#", pack(["u", packet, {"rooms": []}])) == []
        message = {"uid": "u", "nsp": namespace, "type": 3, "data": {"packet": packet, "opts": {"rooms": []}}}
        assert bridge(Sharded).read("socket.io#/#", pack(message)) == []


def test_pattern_is_escaped():
    """Signs that have a meaning in a pattern of Redis stand for themselves."""
    assert "k[1]#/a*b#*" not in Classic(ME, bool, ["/a*b"], "k[1]").channels
    assert r"k\[1\]#/a\*b#*" in Classic(ME, bool, ["/a*b"], "k[1]").channels


def test_channels_of_rooms():
    """A channel of a room is told from those of the namespace, of its servers, and of others."""
    good = [
        "k#/#",
        "k#/#0123456789abcdef#",
        "k#/#bridge-AAAAAAAA#",
        "k#/other#room#",
        "j#/#room#",
        "k-bridge#",
    ]
    bad = ["k#/#room#", "k#/#0123456789abcde#", "k#/chat#a#b#", "k#/#bridge-AAAAAAAA2#"]
    assert room_channels("k", ["/", "/chat"], [*good, *bad]) == sorted(bad, key=lambda name: "chat" in name)
