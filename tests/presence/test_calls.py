"""Which handlers are due, and what keepers of a room tell each other of the calls."""

from __future__ import annotations

import time
from itertools import count
from types import SimpleNamespace

import pytest

from socketio_cluster.manager.bus.presence_messages import Entry
from socketio_cluster.manager.options import Options
from socketio_cluster.manager.presence.book import Book
from socketio_cluster.manager.presence.calls import Call, Calls
from socketio_cluster.manager.presence.held_room import HeldRoom
from socketio_cluster.manager.presence.keepers import SETTLED, Keepers
from socketio_cluster.manager.presence.ring import Ring


def entry(sid, key="ada", meta=b"{}"):
    return Entry(sid, key, meta)


@pytest.fixture
def book():
    return Book()


def test_calls(book):
    """A join is due once for a key, a leave once after it, and none for who came and went unseen."""
    calls = Calls(book)
    assert calls.next("ada") is None
    book.change("a", 0, 1, [entry("s1", meta=b"1")], [])
    assert calls.next("ada") == (Call.JOIN, b"1")
    book.change("b", 0, 1, [entry("s2", meta=b"2")], [])
    assert calls.next("ada") is None
    book.drop("a")
    book.drop("b")
    assert calls.next("ada") == (Call.LEAVE, b"2")
    assert calls.next("ada") is None
    assert calls.take_untold() == ([], ["ada"])


def test_last_meta(book):
    """A leave has the last meta, also when this was never looked at."""
    calls, other = Calls(book), Calls(book)
    book.change("a", 0, 1, [entry("s1", meta=b"1")], [])
    calls.next("ada")
    other.told(["ada"], [], sure=True)
    book.change("a", 1, 2, [entry("s1", meta=b"2")], [])
    book.change("a", 2, 3, [], ["s1"])
    assert calls.next("ada") == (Call.LEAVE, b"2")
    book.change("a", 3, 4, [entry("s1", meta=b"3")], [])
    book.change("a", 4, 5, [], ["s1"])
    other.follow(["ada"])
    assert other.next("ada") == (Call.LEAVE, b"3")
    assert book.last == {}


def test_other_keeper_goes_on(book):
    """A keeper that was told of the calls makes only those that are still due."""
    calls = Calls(book)
    book.change("a", 0, 1, [entry("s1", "ada"), entry("s2", "bob")], [])
    calls.told(["ada", "eve"], [], sure=True)
    assert calls.next("ada") is None
    assert calls.next("bob") == (Call.JOIN, b"{}")
    assert calls.next("eve") == (Call.LEAVE, b"{}")
    calls.told([], ["ada"], sure=True)
    assert calls.next("ada") == (Call.JOIN, b"{}")


def leave(calls, book, key):
    """Let a client of a key come and go, so that both calls are made."""
    book.change("a", 0, book.version("a") + 1, [entry("s1", key)], [])
    assert calls.next(key)[0] is Call.JOIN
    book.drop("a")
    assert calls.next(key)[0] is Call.LEAVE


def test_halves_of_a_split(book):
    """What one half has called a leave for joins again, although the other half had called its join."""
    calls = Calls(book)
    leave(calls, book, "ada")
    book.change("a", 0, 2, [entry("s1", "ada"), entry("s2", "bob")], [])
    calls.rival(["ada", "bob"], [])
    assert calls.next("bob") is None
    assert calls.next("ada") == (Call.JOIN, b"{}")
    assert calls.next("ada") is None


def test_left_in_one_half_only(book):
    """Who is gone leaves again when the other half may have called its join after the leave here."""
    calls = Calls(book)
    leave(calls, book, "ada")
    leave(calls, book, "bob")
    calls.rival(["ada"], ["bob"])
    assert calls.next("ada") == (Call.LEAVE, b"{}")
    assert calls.next("bob") is None


def test_present_for_one_half_only(book):
    """Who is here joins again when the other half has called a leave, and leaves if gone meanwhile."""
    calls = Calls(book)
    book.change("a", 0, 1, [entry("s1", "ada"), entry("s2", "bob")], [])
    assert calls.next("ada")[0] is calls.next("bob")[0] is Call.JOIN
    book.change("a", 1, 2, [], ["s2"])
    calls.rival([], ["ada", "bob"])
    assert calls.next("ada") == (Call.JOIN, b"{}")
    assert calls.next("bob") == (Call.LEAVE, b"{}")
    assert calls.next("ada") is calls.next("bob") is None


def test_new_keeper_disagrees_with_nobody(book):
    """A keeper that has called nothing yet takes what the former one says, and calls nothing for it."""
    calls = Calls(book)
    calls.told(["ada"], [], sure=False)
    calls.rival([], ["ada"])
    assert calls.next("ada") is None


class Told:
    """What a node tells new keepers, in the place of ``Exchange``."""

    def __init__(self):
        self.of = []

    def hand_over(self, room, nodes):
        self.of += [(node, list(room.calls.joined), list(room.calls.left)) for node in nodes]

    def pass_on(self, room, nodes):
        pass

    def offer(self, room, nodes=None):
        pass


@pytest.fixture
def first():
    """The node ``me`` is alone and has called a leave of ada; nodes named ``before`` would go before it."""
    room = HeldRoom(("/", "tea"), "me", count(1))
    stats = SimpleNamespace(reconnects=0, lost=0, gaps=0)
    completing = SimpleNamespace(begin=lambda room: None, begin_again=lambda room, now: None)
    rooms = SimpleNamespace(
        manager=SimpleNamespace(node_id="me", stats=stats, options=Options(dead_after=1e6)),
        exchange=Told(),
        completing=completing,
        held={room.id: room},
        touch=lambda room: None,
        wake=lambda: None,
    )
    keepers = Keepers(rooms)
    room.keepers = keepers.ring.keepers(*room.id)
    leave(room.calls, room.book, "ada")
    names = [f"node{number}" for number in range(100)]
    before = [name for name in names if ring_with(keepers.ring.nodes, name).keepers(*room.id)[0] == name]
    return SimpleNamespace(keepers=keepers, told=rooms.exchange, room=room, before=before)


def ring_with(nodes, another):
    ring = Ring()
    for node in (*nodes, another):
        ring.add(node)
    return ring


def test_each_new_first_keeper_is_told(first):
    """Nodes are heard again one by one: who was the first keeper tells each that is it then."""
    ring = Ring()
    for node in first.before:
        ring.add(node)
    *_, third, second, one = reversed(ring.after(*first.room.id, 5))
    for node in (third, second, one):
        first.keepers.here(node, greets=True)
        first.keepers.turn(time.monotonic())
    assert first.room.keepers == (one, second)
    assert first.told.of == [(node, [], ["ada"]) for node in (third, second, one)]


def test_long_after_it_was_the_first(first):
    """When it has not been the first keeper for long, others know more than it does."""
    *_, second, one = first.before
    ring = ring_with([second], one)
    early, late = reversed(ring.after(*first.room.id, 2))
    first.keepers.here(early, greets=True)
    first.keepers.turn(time.monotonic())
    first.keepers.here(late, greets=True)
    first.keepers.turn(time.monotonic() + SETTLED + 1)
    assert [node for node, _, _ in first.told.of] == [early]
