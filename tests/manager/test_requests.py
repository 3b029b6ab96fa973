"""Pending requests: each ends once."""

from __future__ import annotations

from socketio_cluster.manager.bus.requests import GONE, Requests


def opened(*nodes):
    ended = []
    pending = Requests()
    return pending, pending.open(nodes, ended.append), ended


def test_all_have_replied():
    """A request ends with the last reply, with what each node said."""
    pending, number, ended = opened("a", "b")
    pending.reply(number, "a", "")
    assert ended == []
    pending.reply(number, "b", "no")
    assert ended == [{"a": "", "b": "no"}]


def test_what_nobody_waits_for():
    """Repeats, strangers, unknown numbers and late replies change nothing."""
    pending, number, ended = opened("a", "b")
    for reply in ((number, "a", ""), (number, "a", "again"), (number, "c", ""), (number + 1, "b", "")):
        pending.reply(*reply)
    assert ended == []
    pending.reply(number, "b", "")
    pending.reply(number, "b", "late")
    assert ended == [{"a": "", "b": ""}]


def test_a_node_that_is_gone():
    """Every request that waits for a node ends when it is gone."""
    pending, _, ended = opened("a")
    both = []
    number = pending.open(["a", "b"], both.append)
    pending.node_gone("a")
    assert ended == [{"a": GONE}]
    pending.reply(number, "b", "")
    assert both == [{"a": GONE, "b": ""}]


def test_closed():
    """A closed request never ends."""
    pending, number, ended = opened("a")
    pending.close(number)
    pending.close(number)
    pending.reply(number, "a", "")
    pending.node_gone("a")
    assert ended == []


def test_numbers():
    """No two requests have the same number."""
    pending = Requests()
    assert len({pending.open(["a"], print) for _ in range(100)}) == 100
