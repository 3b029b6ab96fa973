"""The pure parts: the ring of keepers, the book of a room and what clients are shown."""

from __future__ import annotations

from collections import Counter
from itertools import count

import pytest

from socketio_cluster.manager.bus.presence_messages import Entry
from socketio_cluster.manager.bus.shard import CHECK_NODES, TICK
from socketio_cluster.manager.options import Options
from socketio_cluster.manager.presence.book import Book
from socketio_cluster.manager.presence.calls import Call
from socketio_cluster.manager.presence.copies import copies, read
from socketio_cluster.manager.presence.held_room import HeldRoom
from socketio_cluster.manager.presence.meta import META_BYTES, check_key, pack_meta, unpack_meta
from socketio_cluster.manager.presence.own import CHANGE_BYTES, Own
from socketio_cluster.manager.presence.ring import Ring
from socketio_cluster.manager.presence.rooms import TURN
from socketio_cluster.manager.presence.shown import Shown
from socketio_cluster.manager.presence.telling import LONGEST

NODES = [f"node{number:04}" for number in range(300)]


def entry(sid, key="ada", meta=b"{}", *, lost=False):
    return Entry(sid, key, meta, lost)


@pytest.fixture
def book():
    return Book()


def ring_of(nodes):
    ring = Ring()
    for node in nodes:
        ring.add(node)
    return ring


def test_keepers_do_not_depend_on_the_order():
    """All nodes find the same keepers, in whatever order they have heard of each other."""
    one, two = ring_of(NODES), ring_of(reversed(NODES))
    assert all(one.keepers("/", room) == two.keepers("/", room) for room in range(500))
    assert all(len(set(one.keepers("/", room))) == 2 for room in range(500))


def test_few_rooms_move():
    """When one of 300 nodes dies, only its rooms get another keeper: the second one becomes the first."""
    ring = ring_of(NODES)
    before = {room: ring.keepers("/", room) for room in range(3000)}
    ring.remove(NODES[7])
    for room, keepers in before.items():
        now = ring.keepers("/", room)
        assert now == keepers or NODES[7] in keepers
        if keepers[0] == NODES[7]:
            assert now[0] == keepers[1]
    shares = Counter(keepers[0] for keepers in before.values())
    assert max(shares.values()) < 60


def test_alone():
    """A node without others is the only keeper of every room."""
    assert ring_of(["a"]).keepers("/", "tea") == ("a",)
    assert ring_of(["a", "b"]).after("/", "tea", 3, without="a") == ("b",)


def test_changes_in_order(book):
    """Changes follow one another by their versions: a repeat does nothing, a gap is reported."""
    assert book.change("a", 0, 3, [entry("s1"), entry("s2", "bob")], [])
    assert book.change("a", 3, 5, [], ["s2"])
    assert book.change("a", 0, 3, [entry("s2", "bob")], [])
    assert set(book.keys) == {"ada"}
    assert not book.change("a", 7, 8, [entry("s3")], [])
    assert book.change("a", 5, 5, [], [])
    assert not book.change("a", 6, 6, [], [])
    assert set(book.entries("a")) == {"s1"}


def test_whole_state_replaces(book):
    """A newer state of a node takes the place of what was known of its clients, an older one does not."""
    book.change("a", 0, 3, [entry("s1"), entry("s2", "bob")], [])
    book.replace("a", 9, [entry("s2", "eve")])
    assert {key: book.metas(key) for key in book.keys} == {"eve": [b"{}"]}
    book.replace("a", 9, [entry("s1")])
    assert set(book.keys) == {"eve"}


def test_lost_clients_are_hidden(book):
    """A lost client is shown only as long as no other one of its key is there."""
    book.change("a", 0, 1, [entry("s1", meta=b"1")], [])
    book.lose("a")
    assert book.metas("ada") == [b"1"]
    book.change("b", 0, 1, [entry("s2", meta=b"2")], [])
    assert book.metas("ada") == [b"2"]
    assert not book.change("a", 1, 2, [], [])  # what it said meanwhile was missed
    book.drop("a")
    assert book.metas("ada") == [b"2"]
    book.drop("b")
    assert not book.keys


def test_own_changes(book):
    """What is published brings another book to the same state, also in several parts."""
    own, other = Own(book, "a", count(1)), Book()
    large = b"x" * (CHANGE_BYTES // 3)
    for number in range(10):
        own.put(entry(f"s{number}", f"k{number}", large))
    changes = own.take()
    assert len(changes) > 2
    own.lose("s1")
    own.remove("s2")
    own.remove("s2")
    for change in [*changes, *own.take()]:
        assert other.change("a", *change)
    assert other.entries("a") == book.entries("a")
    assert other.version("a") == book.version("a")
    assert own.take() == []


def test_whole_change(book):
    """A change with all clients of a node needs nothing before it, also when it says that none is left."""
    own, late = Own(book, "a", count(1)), Book()
    own.put(entry("s1"))
    own.take()
    own.put(entry("s1", meta=b"2"))
    for change in own.take():
        assert late.change("a", *change)
    assert late.metas("ada") == [b"2"]
    own.put(entry("s2", "bob"))
    assert [change.since for change in own.take()] == [2]
    own.remove("s1")
    own.remove("s2")
    (change,) = own.take()
    assert late.change("a", *change)
    assert (change.since, late.keys) == (0, {})


def test_defaults_add_up():
    """With the defaults, a leave waits less than 10 s for a killed node, if no keeper changes meanwhile."""
    options = Options()
    assert options.presence_grace <= options.dead_after
    assert options.dead_after + CHECK_NODES + TICK + 2 * TURN + LONGEST < 10


def test_leaves_are_remembered():
    """A room is not forgotten as long as a node that was cut off may not know of a leave."""
    room = HeldRoom(("/", "tea"), "a", count(1))
    assert room.empty
    room.book.change("b", 0, 1, [entry("s1")], [])
    room.calls.next("ada")
    room.book.drop("b")
    assert room.calls.next("ada") == (Call.LEAVE, b"{}")
    assert not room.empty
    room.calls.left.clear()
    assert room.empty


def test_superseded(book):
    """A lost client is not waited for when another one of its key is present, on whichever node."""
    own = Own(book, "a", count(1))
    own.put(entry("s1", lost=True))
    own.put(entry("s2", "bob", lost=True))
    assert own.superseded(["ada", "bob", "eve"]) == []
    book.change("b", 0, 1, [entry("s3"), entry("s4", "bob", lost=True)], [])
    assert own.superseded(["ada", "bob"]) == ["s1"]


def test_copies():
    """What a node knows of a room arrives whole, however many pieces it has."""
    room = HeldRoom(("/", "tea"), "a", count(1))
    room.book.change("b", 0, 4, [entry(f"s{number}", f"k{number}") for number in range(450)], [])
    room.book.change("c", 0, 2, [entry("s1")], [])
    room.calls.told(["k1"], [], sure=True)
    found = read(list(copies(room, {"b": 3.0, "c": 0.0, "d": 1.0})))["/", "tea"]
    assert found.called == ["k1"]
    assert found.owners["b"] == (4, list(room.book.entries("b").values()), 3.0)
    assert found.owners["c"] == (2, [entry("s1")], 0.0)


def test_same_meta_keeps_its_reference(book):
    """A client that comes back with the same meta is no change; another meta is a leave and a join."""
    shown = Shown()
    book.change("a", 0, 1, [entry("s1", meta=b"1"), entry("s2", meta=b"1")], [])
    joins, leaves = shown.turn(["ada"], book.metas)
    assert (list(joins["ada"].values()), leaves) == ([b"1", b"1"], {})
    book.change("a", 1, 2, [entry("s3", meta=b"1")], ["s1"])
    assert shown.turn(["ada"], book.metas) == ({}, {})
    book.change("a", 2, 3, [entry("s3", meta=b"3")], [])
    joins, leaves = shown.turn(["ada"], book.metas)
    assert (list(joins["ada"].values()), list(leaves["ada"].values())) == ([b"3"], [b"1"])
    assert list(leaves["ada"]) != list(joins["ada"])
    book.drop("a")
    assert len(shown.turn(["ada"], book.metas)[1]["ada"]) == 2
    assert shown.keys == {}


@pytest.mark.parametrize(
    ("key", "error"),
    [
        (True, TypeError),
        (1.5, TypeError),
        (None, TypeError),
        ("", ValueError),
        ("\ud800", ValueError),
        ("x" * 1025, ValueError),
    ],
)
def test_bad_keys(key, error):
    """What cannot be a key is an error that says so."""
    with pytest.raises(error, match="a presence key"):
        check_key(key)


@pytest.mark.parametrize(
    ("meta", "error", "words"),
    [
        (["x"], TypeError, "is a dict, not list"),
        ({"x": b"bytes"}, TypeError, "JSON cannot hold"),
        ({"x": float("nan")}, ValueError, "JSON cannot hold"),
        ({"x": "\ud800"}, ValueError, "JSON cannot hold"),
        ({"phx_ref": 1}, ValueError, "reserved"),
        ({"x": "y" * META_BYTES}, ValueError, f"at most {META_BYTES} bytes"),
    ],
)
def test_bad_metas(meta, error, words):
    """What cannot be a meta is an error that says why."""
    with pytest.raises(error, match=words):
        pack_meta(meta)


def test_meta():
    """A meta arrives as it was given, as far as JSON has it."""
    assert unpack_meta(pack_meta({"a": [1, None, "ä"], "b": {}})) == {"a": [1, None, "ä"], "b": {}}
    assert check_key(7) == "7"
