"""The clients of one room: few are kept as a tuple, many as a dict, and nobody can tell."""

from __future__ import annotations

import pytest

from socketio_cluster.manager.clients.client import Client
from socketio_cluster.manager.clients.local_room import FEW, LocalRoom


def clients(count):
    return [Client(f"s{number}", f"e{number}", "/", print, 100) for number in range(count)]


@pytest.mark.parametrize("count", [1, FEW, FEW + 1, 3 * FEW])
def test_order(count):
    """A room of any size has its clients in the order in which they have entered, also by their sids."""
    room, inside = LocalRoom("red"), clients(count)
    for client in inside:
        room.add(client)
    assert list(room.clients()) == inside
    assert room == room.by_sid() == {client.sid: client for client in inside}
    assert room["s0"] is inside[0]
    assert (len(room), "s0" in room, "nobody" in room) == (count, True, False)


@pytest.mark.parametrize("count", [FEW, 3 * FEW])
def test_remove(count):
    """Those who are left keep their order, and a room that everybody has left holds nobody."""
    room, inside = LocalRoom("red"), clients(count)
    for client in inside:
        room.add(client)
    for client in inside[::2]:
        room.remove(client)
    assert list(room.clients()) == inside[1::2]
    for client in inside[1::2]:
        room.remove(client)
    assert not room.held


@pytest.mark.parametrize("count", [FEW - 1, FEW, 3 * FEW])
def test_clients_of_now(count):
    """Those who enter or leave while the clients are walked change nothing for who walks."""
    room, (*inside, late) = LocalRoom("red"), clients(count + 1)
    for client in inside:
        room.add(client)
    walked = room.clients()
    room.add(late)
    room.remove(inside[0])
    assert list(walked) == inside
    assert list(room.clients()) == [*inside[1:], late]
