"""Which shards a bus URL stands for, and on which of them a room is."""

from __future__ import annotations

from collections import Counter

import pytest

from socketio_cluster import SettingError
from socketio_cluster.manager.bus.channels import Channels
from socketio_cluster.manager.bus.places import SLOTS, check_places, places_of
from socketio_cluster.manager.bus.sharded_channels import ShardedChannels
from socketio_cluster.manager.ids import new_sid


def test_one_place():
    """A URL with one server stands for one place, which has the cluster's own prefix."""
    for url in (
        None,
        "local:///run/x",
        "redis://:p,w@a:6379/0?x=1",
        "unix:///a,b",
        "redis+cluster://a:1,b:2",
        "redis+sentinel://a,b/0/main",
        "amqp://a//;amqp://b//",
        "nats://a,b",
    ):
        assert places_of(url, "sio") == [(url, "sio")]


def test_plain_servers():
    """Each of several plain servers is a shard, with the credentials and options of all."""
    assert places_of("rediss://u:p,w@a:1,b,[::1]:3/2?ssl_cert_reqs=none", "sio") == [
        ("rediss://u:p,w@a:1/2?ssl_cert_reqs=none", "sio"),
        ("rediss://u:p,w@b/2?ssl_cert_reqs=none", "sio:1/3"),
        ("rediss://u:p,w@[::1]:3/2?ssl_cert_reqs=none", "sio:2/3"),
    ]


@pytest.mark.parametrize("count", [2, 4, 16, 64])
def test_cluster(count):
    """The shards of a Redis Cluster are spread evenly over its slots, and the broker sees no ``shards``."""
    from redis.crc import key_slot

    places = places_of(f"redis+cluster://a:1,b:2?shards={count}&x=1", "sio")
    assert {place.url for place in places} == {"redis+cluster://a:1,b:2?x=1"}
    assert places[0].prefix == "sio"
    slots = [key_slot(Channels(place.prefix).everyone.encode()) for place in places]
    parts = [(slot - slots[0]) % SLOTS * count // SLOTS for slot in slots]
    assert parts == list(range(count))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis://a,,b", "look like host1:6379,host2:6379"),
        ("redis://a?shards=2", "is for redis.*; several servers are redis://host1,host2/0"),
        ("redis://a?SHARDS=2", "is for redis"),
        ("nats://a?shards=2", "is for redis.*, not for nats://$"),
        ("redis+cluster://a?Shards=2", "has Shards=, which is written shards="),
        ("redis+cluster://a?shards=2&shards=4", "stands twice"),
        ("redis://a:63x,b", "no number up to 65535"),
        ("nats://a:1,b:99999", "no number up to 65535"),
        ("amqp://a:1;amqp://b:x", "no number up to 65535"),
        ("redis+sentinel://u:p/a@ss@a:1/name", "%-escapes"),
        ("redis+cluster://a?shards=0", "1 to 64 shards, not 0"),
        ("redis+cluster://a?shards=65", "1 to 64 shards, not 65"),
        ("redis://a, b", "look like host1:6379,host2:6379"),
        ("redis://u:p@a,u:p@b", "several servers have one name and password"),
        ("redis://u:p@a:1,b,a:1", "a server stands twice"),
        ("redis+cluster://a?shards=many", "must be a number, not 'many'"),
    ],
)
def test_mistakes(url, words):
    """A list of servers or a number of shards that cannot work is refused with a sentence."""
    with pytest.raises(SettingError, match=words):
        check_places(url, "sio", recovery=False)


def test_recovery():
    """Recovery and several shards do not go together, and the error says why."""
    check_places("redis://a", "sio", recovery=True)
    check_places("redis://a,b", "sio", recovery=False)
    for url in ("redis://a,b", "redis+cluster://a?shards=2"):
        with pytest.raises(SettingError, match="each shard has an order of its own"):
            check_places(url, "sio", recovery=True)


def test_rooms_are_spread():
    """Rooms are spread evenly by their names, always in the same way; all else is on the first shard."""
    names = ShardedChannels(["sio", "sio:1/3", "sio:2/3"])
    shards = Counter(names.shard(names.room("/", f"room{number}")) for number in range(3000))
    assert all(900 < shards[shard] < 1100 for shard in range(3))
    found = [names.room(*place) for place in (("/", "news"), ("/chat", "news"), ("/", 7), ("/", "7"))]
    assert found == [
        "{sio:1/3}:room:/,snews",
        "{sio:1/3}:room:/chat,snews",
        "{sio:1/3}:room:/,i7",
        "{sio}:room:/,s7",
    ]
    for name in (
        names.everyone,
        names.namespace("/"),
        names.inbox("x" * 8),
        names.room("/", new_sid("x" * 8)),
    ):
        assert names.shard(name) == 0


def test_inbox_beside():
    """A node's inbox beside a room is on the shard of the room, so that the bus keeps their order."""
    names = ShardedChannels(["sio", "sio:1/3", "sio:2/3"])
    for number in range(20):
        room = names.room("/", number)
        inbox = names.inbox_beside("x" * 8, "/", number)
        assert names.together([room, inbox])
        assert inbox.endswith(":node:xxxxxxxx")
    assert not names.together([names.room("/", number) for number in range(20)])
