"""The gate in front of a client that gets the history of a room, without a bus."""

from __future__ import annotations

import pytest

from socketio_cluster.manager.clients.client import Client
from socketio_cluster.manager.clients.outgoing import Outgoing
from socketio_cluster.manager.clients.packets import Encoded
from socketio_cluster.manager.clients.rooms import LocalRooms
from socketio_cluster.manager.recovery.gate import Gate


def event(number, rooms=("red",), size=1):
    return Outgoing(Encoded([b"x" * size], True), None if rooms is None else list(rooms), number)


@pytest.fixture
def got():
    return []


@pytest.fixture
def client(got):
    one, book = Client("s" * 20, "e", "/", got.append, 1000), LocalRooms()
    book.add(one)
    for room in ("red", "blue"):
        book.enter(one, room)
    return one


def test_holds_and_drops(client, got):
    """Live events come behind the history, without those it stands for, also when these come late."""
    client.connected(0)
    gate = Gate(client, 1000)
    gate.close()
    early, other, both, everybody, unkept, new = live = [
        event(4),
        event(4, ["blue"]),
        event(5, ["red", "blue"]),
        event(5, None),
        event(0),
        event(7),
    ]
    for each in live[:-1]:
        client.send(each)
    assert got == []
    old = event(3)
    assert gate.open("red", 6, [old])
    assert got == [old, other, both, everybody, unkept]
    client.send(event(6))
    client.send(new)
    assert got[5:] == [new]
    assert client.send == client.write
    assert client.gate is None
    assert early not in got


def test_before_it_is_connected(client, got):
    """A client whose connect handler runs gets the history and what came behind it once it is connected."""
    gate = Gate(client, 1000)
    first, old, late = event(1, None), event(2), event(9)
    client.send(first)
    gate.close()
    client.send(late)
    gate.open("red", 3, [old])
    assert got == []
    assert client.connected(0)
    assert got == [first, old, late]


def test_connected_meanwhile(client, got):
    """While the history is read a client may get connected, or another writer, and may leave."""
    written = []
    gate = Gate(client, 1000)
    first, late = event(1, None), event(9)
    client.send(first)
    gate.close()
    client.connected(0)
    client.change_writer(written.append)
    client.send(late)
    assert (got, written) == ([first], [])
    gate.open("red", 3, [])
    assert written == [late]
    gate.close()
    client.leaving()
    gate.open("blue", 12, [event(12)])
    client.send(event(13))
    assert written == [late]


def test_too_much(client):
    """More than the bytes that may be held is told."""
    client.connected(0)
    gate = Gate(client, 100)
    gate.close()
    for number in (1, 2, 3):
        client.send(event(number, size=90))
    assert not gate.open("red", 0, [])
