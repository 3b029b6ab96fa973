"""Callbacks that wait for clients of this node: each taken once, and gone when its time is over."""

from __future__ import annotations

import pytest

from socketio_cluster.manager.clients import client_acks as module
from socketio_cluster.manager.clients.acks import AckWaiter, RemoteAck
from socketio_cluster.manager.clients.client import Client
from socketio_cluster.manager.clients.client_acks import ClientAcks


@pytest.fixture
def asked():
    return ClientAcks(300)


@pytest.fixture
def client():
    return Client("sid", "eio", "/", print, 0)


def test_ids(asked, client):
    """Each callback has an id of its own and is taken once."""
    assert asked.answer(client, 1) is None
    first, second = asked.expect(client, print, 1.0), asked.expect(client, repr, 2.0)
    assert asked.answer(client, second)[:2] == (repr, 2.0)
    assert asked.answer(client, first)[:2] == (print, 1.0)
    assert asked.answer(client, first) is None
    assert asked.expect(client, print, 3.0) not in (first, second)
    assert len(asked) == 1


def test_an_id_that_is_wanted(asked, client):
    """A client takes the id that is wanted, and one of its own when that is taken."""
    assert asked.expect(client, print, 0.0, 2**30) == 2**30
    assert asked.expect(client, len, 0.0, 2**30) == 1
    assert asked.expect(client, len, 0.0) == 2
    assert asked.answer(client, 2**30).callback is print


def test_time(asked, client):
    """A callback goes when its time is over: this node's, or that of who waits for it."""
    asked.expect(client, print, 0)
    asked.expect(client, AckWaiter(print, 10), 0)
    asked.expect(client, RemoteAck(print, print, 20), 0)
    asked.expect(client, RemoteAck(print, print), 0)
    counts = []
    for now in (9, 10, 20, 299, 300):
        asked.expire(now)
        counts.append(len(asked))
    assert counts == [4, 3, 2, 2, 0]
    assert not client.acks


def test_a_client_that_leaves(asked, client):
    """When a client leaves, those who wait for it are told, and nothing is kept."""
    told = []
    for number in range(3):
        asked.expect(client, RemoteAck(print, lambda number=number: told.append(number)), 0)
    asked.abandon(client)
    assert told == [0, 1, 2]
    assert len(asked) == 0
    assert not any(asked._ends._slots.values())


def test_a_bound_for_each_client(asked, client, monkeypatch):
    """Beyond the bound of a client its oldest callback goes, and is told that nobody will answer."""
    monkeypatch.setattr(module, "MAX_PER_CLIENT", 3)
    told = []
    for number in range(5):
        asked.expect(client, RemoteAck(print, lambda number=number: told.append(number)), 0)
    assert told == [0, 1]
    assert list(client.acks) == [3, 4, 5]
