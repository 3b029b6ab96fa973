"""Callbacks that wait for clients elsewhere: kept while an answer may come, let go when none can."""

from __future__ import annotations

from time import perf_counter

import pytest

from socketio_cluster.manager.clients import acks as module
from socketio_cluster.manager.clients.acks import AckWaiter, RemoteAck, RemoteAcks, abandon
from socketio_cluster.manager.clients.client import Client
from socketio_cluster.manager.clients.client_acks import ClientAcks


class Waiter:
    """A callback that notes what it is told."""

    def __init__(self):
        self.told = []

    def __call__(self, *arguments):
        self.told.append(arguments)

    def abandon(self):
        self.told.append("nobody")


@pytest.fixture
def acks():
    return RemoteAcks(300)


def test_a_single_client(acks):
    """The callback of an emit to one client is given once."""
    waiter = Waiter()
    number = acks.expect(waiter, "node", 0)
    assert acks.answered(number) is waiter
    assert acks.answered(number) is None
    assert len(acks) == 0


def test_a_room(acks):
    """The callback of an emit to a room is given for each answer, until its time is over."""
    waiter = Waiter()
    number = acks.expect(waiter, None, 0)
    acks.gone(number)
    assert [acks.answered(number) for _ in range(3)] == [waiter] * 3
    acks.expire(299)
    assert acks.answered(number) is waiter
    acks.expire(300)
    assert acks.answered(number) is None
    assert waiter.told == []


def test_gone(acks):
    """When the client is gone its callback is told so, once."""
    waiter = Waiter()
    number = acks.expect(waiter, "node", 0)
    acks.gone(number)
    acks.gone(number)
    assert waiter.told == ["nobody"]
    assert acks.answered(number) is None


def test_node_gone(acks):
    """When a node is gone, the callbacks for its clients are told so, and no others."""
    waiters = [Waiter() for _ in range(3)]
    for waiter, node in zip(waiters, ["a", "b", None], strict=True):
        acks.expect(waiter, node, 0)
    acks.node_gone("a")
    assert [waiter.told for waiter in waiters] == [["nobody"], [], []]
    assert len(acks) == 2


def test_forget(acks):
    """A callback that is forgotten is told nothing."""
    waiter = Waiter()
    number = acks.expect(waiter, "a", 0)
    acks.forget(number)
    acks.node_gone("a")
    assert waiter.told == []
    assert acks.answered(number) is None


def test_a_single_client_that_never_answers(acks):
    """The callback of an emit to one client goes when its time is over, and is told nothing."""
    waiter = Waiter()
    number = acks.expect(waiter, "node", 0)
    acks.expire(300)
    assert len(acks) == 0
    assert acks.answered(number) is None
    assert waiter.told == []


def test_a_call_waits_for_its_own_time(acks):
    """A call is kept for its own timeout, be that longer or shorter, and for ever without one."""
    for timeout in (1, 1000, None):
        acks.expect(AckWaiter(print, timeout), "node", 0)
    counts = []
    for now in (1, 999, 1000, 10**9):
        acks.expire(now)
        counts.append(len(acks))
    assert counts == [2, 2, 1, 1]


def test_a_bound(acks, monkeypatch):
    """Beyond the bound the oldest callback goes, and is told that nobody will answer."""
    monkeypatch.setattr(module, "MAX_REMOTE", 3)
    waiters = [Waiter() for _ in range(5)]
    for waiter in waiters:
        acks.expect(waiter, "node", 0)
    assert len(acks) == 3
    assert [waiter.told for waiter in waiters] == [["nobody"], ["nobody"], [], [], []]


def test_cost():
    """A callback costs the same with a hundred thousand that wait as with none, on either node."""

    def fastest(expect):
        times = []
        for _ in range(50):
            began = perf_counter()
            for _ in range(100):
                expect()
            times.append(perf_counter() - began)
        return min(times)

    acks, asked = RemoteAcks(300), ClientAcks(300)
    client = Client("sid", "eio", "/", print, 0)
    for expect in (lambda: acks.expect(print, "node", 1.0), lambda: asked.expect(client, print, 1.0)):
        few = fastest(expect)
        for _ in range(100_000):
            expect()
        assert fastest(expect) < 5 * few


def test_rooms_do_not_gather(acks):
    """New emits let the callbacks of old rooms go."""
    for second in range(1000):
        acks.expect(Waiter(), None, second)
    assert len(acks) == 300


def test_plain_callbacks(acks):
    """A plain function has nothing to be told when nobody will call it."""
    number = acks.expect(lambda: None, "a", 0)
    acks.gone(number)
    abandon(print)
    assert len(acks) == 0


def test_answer():
    """A call ends with the arguments, or with None; what was noted is undone at its end."""
    ends = []
    for tell, wanted in ((lambda answer: answer(1, 2), (1, 2)), (lambda answer: answer.abandon(), None)):
        resolved = []
        answer = AckWaiter(resolved.append)
        answer.on_end(lambda: ends.append("undone"))
        tell(answer)
        answer.end()
        assert resolved == [wanted]
    assert ends == ["undone", "undone"]


def test_remote_ack():
    """The callback kept for another node passes on the answer, or that there is none."""
    said = []
    ack = RemoteAck(said.append, lambda: said.append("gone"))
    ack(1, b"2")
    abandon(ack)
    assert said == [[1, b"2"], "gone"]
