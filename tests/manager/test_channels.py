"""Names of channels: no two rooms share one, and AMQP's keys are few."""

from __future__ import annotations

from enum import IntEnum, StrEnum

import pytest

from socketio_cluster.manager.bus.channels import PARTITIONS, Channels, check_room, routing_key

NAMES = Channels("sio")


class Color(StrEnum):
    RED = "red"


class Level(IntEnum):
    ONE = 1


def test_no_two_share_a_channel():
    """Rooms of other types, namespaces and names, inboxes and broadcasts all have channels of their own."""
    rooms = ["", "1", 1, -1, "all", "s1", "i1", "a,b", ":room:", "node:x", "{sio}", "žluťoučký"]
    spaces = ["/", "/a", "/a/b"]
    channels = [NAMES.everyone, NAMES.inbox("abcdefgh"), *(NAMES.namespace(space) for space in spaces)]
    channels += [NAMES.room(space, room) for space in spaces for room in rooms]
    assert len(set(channels)) == len(channels)
    assert not set(channels) & {Channels("other").room(space, room) for space in spaces for room in rooms}


def test_all_hash_to_one_slot():
    """Every channel begins with the prefix in braces, Redis Cluster's hash tag."""
    for channel in (NAMES.everyone, NAMES.inbox("n"), NAMES.namespace("/"), NAMES.room("/", "}{")):
        assert channel.startswith("{sio}:")


def test_inbox():
    """Only an inbox of the same cluster is one."""
    assert NAMES.is_inbox(NAMES.inbox("abcdefgh"))
    others = [NAMES.everyone, NAMES.namespace("/"), NAMES.room("/", "node:"), Channels("b").inbox("abcdefgh")]
    assert not any(map(NAMES.is_inbox, others))


def test_partitions():
    """Rooms share a fixed number of routing keys, evenly; the inbox and the broadcast keep theirs."""
    keys = [routing_key(NAMES.room("/", f"room {number}")) for number in range(6400)]
    assert len(set(keys)) == PARTITIONS
    assert max(keys.count(key) for key in set(keys)) < 200
    assert routing_key(NAMES.everyone) == NAMES.everyone
    assert routing_key(NAMES.inbox("abcdefgh")) == NAMES.inbox("abcdefgh")
    assert routing_key(NAMES.room("/", "a")).startswith("{sio}:part:")


def test_partitions_are_agreed():
    """The partition of a room is the same in every process and version: nodes have to agree on it."""
    assert routing_key("{sio}:room:/,slobby") == "{sio}:part:45"


def test_plain_rooms():
    """A room that is an enum counts as its value, and keeps no other type on the bus."""
    for room, plain in [("a", "a"), (7, 7), (Color.RED, "red"), (Level.ONE, 1)]:
        assert check_room(room) == plain
        assert type(check_room(room)) is type(plain)


@pytest.mark.parametrize("room", [None, True, 1.5, b"a", ("a",), object()])
def test_no_rooms(room):
    """Anything but a str or an int is a TypeError that shows it."""
    with pytest.raises(TypeError, match="a room is named by a str or an int, not"):
        check_room(room)


@pytest.mark.parametrize("room", ["\ud800", "tea \udfff", 2**64, -(2**63) - 1])
def test_rooms_that_no_bus_carries(room):
    """What clients can say in JSON, but neither UTF-8 nor 64 bits can hold, is a ValueError that says so."""
    with pytest.raises(ValueError, match="UTF-8|64 bits"):
        check_room(room)


@pytest.mark.parametrize("room", ["čaj 🍵", 2**64 - 1, -(2**63)])
def test_rooms_that_every_bus_carries(room):
    """Any other text or number is a room."""
    assert check_room(room) == room
