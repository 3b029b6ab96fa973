"""Clients and rooms of one node: nothing is left behind, and nothing arrives before its time."""

from __future__ import annotations

import pytest

from socketio_cluster.manager.clients.client import Client
from socketio_cluster.manager.clients.outgoing import Outgoing
from socketio_cluster.manager.clients.packets import Encoded
from socketio_cluster.manager.clients.rooms import LocalRooms


@pytest.fixture
def rooms():
    return LocalRooms()


def add(rooms, sid, namespace="/", connection=None):
    written = []
    client = Client(
        sid, connection or f"eio-{sid}", namespace, lambda event: written.append(event.encoded.parts[0]), 100
    )
    client.written = written
    rooms.add(client)
    return client


class Client(Client):
    """The same, with room for a note of what was written."""

    __slots__ = ("written",)


def event(data):
    return Outgoing(Encoded([data], text=True))


def sids(members):
    return [client.sid for client in members]


def test_members(rooms):
    """Everybody, a room, several rooms and a sid each give every client once."""
    one, two, three = (add(rooms, sid) for sid in ("s1", "s2", "s3"))
    rooms.enter(one, "red")
    rooms.enter(two, "red")
    rooms.enter(two, 7)
    assert sids(rooms.members("/", None)) == ["s1", "s2", "s3"]
    assert sids(rooms.members("/", ["red"])) == ["s1", "s2"]
    assert sids(rooms.members("/", ["red", 7, "s2", three.sid, "nobody"])) == ["s1", "s2", "s3"]
    assert sids(rooms.members("/", ["7"])) == []
    assert sids(rooms.members("/", [])) == []
    assert sids(rooms.members("/other", None)) == []


def test_namespaces(rooms):
    """A room, a sid and a connection mean something within their namespace only."""
    main, chat = add(rooms, "s1", "/", "eio"), add(rooms, "s2", "/chat", "eio")
    rooms.enter(main, "red")
    assert sids(rooms.members("/chat", ["red", "s1"])) == []
    assert rooms.find("s1", "/chat") is None
    assert rooms.on_connection("eio", "/chat") is chat
    assert rooms.of_connection("eio") == [main, chat]


def test_nothing_is_left(rooms):
    """The last client takes its rooms and its namespace with it."""
    one, two = add(rooms, "s1"), add(rooms, "s2")
    for client in (one, two):
        rooms.enter(client, "red")
        rooms.enter(client, "red")
    rooms.leave(one, "red")
    rooms.leave(one, "red")
    assert rooms.has("/", "red")
    rooms.leave(two, "red")
    assert not rooms.has("/", "red")
    assert rooms.has("/", None)
    rooms.remove(one)
    rooms.remove(two)
    assert not rooms.has("/", None)
    assert (rooms.rooms, rooms.clients, rooms.on_connection("eio-s1", "/")) == ({}, {}, None)


def test_coming_and_going(rooms):
    """A client enters and leaves once; who leaves sees who is still there."""
    one, two = add(rooms, "s1"), add(rooms, "s2")
    assert [rooms.enter(client, "red") for client in (one, one, two)] == [True, False, True]
    assert list(rooms.leave(one, "red")) == ["s2"]
    assert rooms.leave(one, "red") is None
    assert list(rooms.leave(two, "red")) == []
    assert [list(rooms.remove(client)) for client in (one, two)] == [["s2"], []]


def test_one_name(rooms):
    """Clients share the name of a room, however often it came over the network."""
    one, two = add(rooms, "s1"), add(rooms, "s2")
    for client in (one, two):
        rooms.enter(client, "".join(["r", "ed"]))
    (name,), (same,) = one.rooms, two.rooms
    assert name is same


def test_walking_while_clients_go(rooms):
    """Members may leave while they are walked."""
    clients = [add(rooms, f"s{number}") for number in range(5)]
    for client in clients:
        rooms.enter(client, "red")
    for client in rooms.members("/", ["red"]):
        rooms.leave(client, "red")
    for client in rooms.members("/", None):
        rooms.remove(client)
    assert rooms.clients == {}


def test_a_pending_client_gets_nothing(rooms):
    """Until it is connected events are held; then they are written, in order, and later ones at once."""
    client = add(rooms, "s1")
    client.send(event(b"first"))
    client.send(event(b"second"))
    assert client.written == []
    assert client.connected(1.5)
    assert client.connected_at == 1.5
    client.send(event(b"third"))
    assert client.written == [b"first", b"second", b"third"]


def test_a_leaving_client_gets_nothing(rooms):
    """Once it leaves nothing is written any more."""
    client = add(rooms, "s1")
    client.connected(1.5)
    client.leaving()
    client.send(event(b"late"))
    assert client.written == []


def test_reroute(rooms):
    """Another way to the connection holds from the next event on, and not before the client is connected."""
    client, direct = add(rooms, "s1"), []
    client.change_writer(direct.append)
    first, second = event(b"first"), event(b"second")
    client.send(first)
    assert direct == []
    client.connected(1.5)
    assert direct == [first]
    client.change_writer(client.written.append)
    client.send(second)
    assert (direct, client.written) == ([first], [second])


def test_too_much_is_held(rooms):
    """One event of any size is held, and what comes above the bound is missed, but not silently."""
    whole, part = add(rooms, "s1"), add(rooms, "s2")
    for client in (whole, part):
        client.send(event(b"x" * 1000))
    part.send(event(b"y"))
    assert whole.connected(1.5)
    assert not part.connected(1.5)
    assert part.written == whole.written == [b"x" * 1000]
