"""Messages: their numbers on the wire never change."""

from __future__ import annotations

import msgspec
import pytest

from socketio_cluster.manager.bus.messages import Beat, Emit, Enter, Gone, Hello, Message, Offer
from socketio_cluster.manager.bus.query_messages import Question

TAGS = {
    "Emit": 1,
    "Ack": 2,
    "Gone": 3,
    "Enter": 4,
    "Leave": 5,
    "Close": 6,
    "Disconnect": 7,
    "Reply": 8,
    "Hello": 14,
    "Beat": 15,
    "Bye": 11,
    "Ask": 16,
    "Answer": 17,
    "PassedOn": 13,
    "Query": 18,
    "Finding": 19,
    "SelectiveEmit": 20,
    "Want": 21,
    "PresenceChange": 23,
    "PresenceCalled": 24,
    "Taken": 22,
    "Recorded": 25,
    "Dropped": 26,
    "PresenceMissed": 27,
    "Late": 28,
    "Unknown": 0,
}

QUESTIONS = {
    "FindSockets": 1,
    "CountSockets": 2,
    "FindRooms": 3,
    "JoinRooms": 4,
    "LeaveRooms": 5,
    "DisconnectSockets": 6,
    "ServerEvent": 7,
    "AskClients": 8,
    "FindPresence": 9,
    "FindOwnPresence": 10,
    "CountPresence": 11,
    "ChangePresence": 12,
}

OFFER = Offer(3, 2, b"mark")


def decode(raw):
    return msgspec.msgpack.decode(raw, type=Message)


def test_tags():
    """Each kind has the number it has always had."""
    for kinds, tags in ((Message, TAGS), (Question, QUESTIONS)):
        assert {kind.__name__: kind.__struct_config__.tag for kind in kinds.__args__} == tags


def test_compact():
    """A message is an array: no names of fields travel."""
    raw = msgspec.msgpack.encode(Emit("/", ["lobby"], [], [b'2["a"]'], True))
    assert msgspec.msgpack.decode(raw) == [1, "/", ["lobby"], [], [b'2["a"]'], True, 0, 0, 0, 0]
    assert len(raw) == 26


def test_a_newer_node():
    """Fields that a newer node adds at the end are passed over."""
    raw = msgspec.msgpack.encode([3, 7, "new", {"newer": 1}])
    assert decode(raw) == Gone(7)


def test_an_older_node():
    """Fields with a default may be missing at the end."""
    assert decode(msgspec.msgpack.encode([1, "/", None, [], [b"2"], True])) == Emit(
        "/", None, [], [b"2"], True
    )


@pytest.mark.parametrize(
    "wrong",
    [
        [99, 1],
        [],
        [3],
        [3, "7"],
        [4, 1, "/", "sid", 1.5],
        [1, "/", None, [], ["text"], True],
        [14, "name", "", True, 0, False, [1, "2", b""]],
        {"tag": 3, "request": 7},
        7,
    ],
)
def test_wrong_types(wrong):
    """What is no message is refused when it is decoded."""
    with pytest.raises(msgspec.ValidationError):
        decode(msgspec.msgpack.encode(wrong))


def test_a_room_keeps_its_type():
    """Room 7 and room "7" stay two rooms."""
    for room in (7, "7"):
        message = Enter(1, "/", "sid", room)
        assert decode(msgspec.msgpack.encode(message)) == message


def test_two_kinds_with_equal_fields():
    """A hello and a beat are told apart by their numbers."""
    for message in (Hello("a", "b", True, 1, False, OFFER), Beat("a", "b", True, 1, False, OFFER)):
        assert type(decode(msgspec.msgpack.encode(message))) is type(message)
