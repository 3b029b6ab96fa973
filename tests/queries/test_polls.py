"""The books of a question: who has said what, and who is waited for."""

from __future__ import annotations

from socketio_cluster.manager.queries.pieces import pieces
from socketio_cluster.manager.queries.polls import Poll, Polls


def opened(*nodes):
    polls, ends = Polls(), []
    poll = Poll(nodes, lambda: poll.missing or ends.append(True))
    return polls, poll, polls.open(poll), ends


def taken(poll):
    """All that has come so far, each item with its node."""
    return [(piece.node, item) for piece in iter(poll.take, None) for item in piece.items]


def test_all_answer():
    """A question ends once, when its last node has said its last piece."""
    polls, poll, number, ends = opened("a", "b")
    polls.said(number, "a", [b"1"], "", last=False)
    polls.said(number, "b", [b"3"], "", last=True)
    assert not ends
    assert poll.missing == {"a"}
    polls.said(number, "a", [b"2"], "", last=True)
    polls.said(number, "a", [b"9"], "", last=True)
    assert ends == [True]
    assert taken(poll) == [("a", b"1"), ("b", b"3"), ("a", b"2")]
    assert poll.take() is None


def test_a_node_goes():
    """A node that is gone is waited for no longer, and half an answer of it does not count."""
    polls, poll, number, ends = opened("a", "b", "c")
    polls.said(number, "a", [b"1"], "", last=True)
    polls.said(number, "b", [b"2"], "", last=False)
    polls.node_gone("a")
    polls.node_gone("b")
    polls.said(number, "b", [b"2"], "", last=True)
    assert not ends
    polls.node_gone("c")
    assert ends == [True]
    assert taken(poll) == [("a", b"1")]
    assert not poll.failures


def test_a_failure():
    """An error ends the answer of its node; what it said before counts."""
    polls, poll, number, ends = opened("a")
    polls.said(number, "a", [b"1"], "", last=False)
    polls.said(number, "a", [], "no", last=False)
    assert ends == [True]
    assert (taken(poll), poll.failures) == ([("a", b"1")], {"a": "no"})


def test_nobody_waits():
    """Pieces for a closed question, or of a node that was not asked, change nothing."""
    polls, poll, number, ends = opened("a")
    polls.said(number, "late", [b"1"], "", last=True)
    polls.close(number)
    polls.said(number, "a", [b"1"], "", last=True)
    assert (poll.take(), poll.missing, ends, len(polls)) == (None, {"a"}, [], 0)


async def test_pieces():
    """Items are grouped up to a size, lazily, each in one group, and one that is larger stands alone."""
    items = [b"x" * size for size in (1, 2, 3, 9, 1)]
    taken = []

    async def watched(items):
        for item in items:
            taken.append(item)
            yield item

    groups = pieces(watched(items), 3)
    assert await anext(groups) == [b"x", b"xx"]
    assert len(taken) == 2
    assert [group async for group in groups] == [[b"xxx"], [b"x" * 9], [b"x"]]
    assert [group async for group in pieces(watched([]), 3)] == []
