"""Ids: what they look like, and that a sid names its node."""

from __future__ import annotations

import re

import pytest

from socketio_cluster.manager.ids import new_node_id, new_sid, node_of


def test_forms():
    """A node id has 8 characters of base64url, a sid 20, and the first 8 of a sid are its node's id."""
    for _ in range(200):
        node = new_node_id()
        sid = new_sid(node)
        assert re.fullmatch(r"[A-Za-z0-9_-]{8}", node)
        assert re.fullmatch(r"[A-Za-z0-9_-]{20}", sid)
        assert node_of(sid) == node


def test_no_two_alike():
    """Ids are made of enough chance to be different each time."""
    assert len({new_node_id() for _ in range(10_000)}) == 10_000
    assert len({new_sid("abcdefgh") for _ in range(10_000)}) == 10_000


@pytest.mark.parametrize("room", ["", "lobby", "x" * 19, "x" * 21, 20, None, b"x" * 20, ["x" * 20]])
def test_what_is_no_sid(room):
    """What has not the form of a sid names no node."""
    assert node_of(room) is None
