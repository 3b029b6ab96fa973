"""Pickles of plain data are read as ``pickle`` would, and nothing else is."""

from __future__ import annotations

import contextlib
import os
import pickle
import tracemalloc
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socketio_cluster.manager.bridge.commands import Event
from socketio_cluster.manager.bridge.stock.pickles import read_pickle
from socketio_cluster.manager.bridge.stock.stock import Stock

ATOMS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
DATA = st.recursive(
    ATOMS,
    lambda some: st.lists(some) | st.dictionaries(st.text(), some) | st.tuples(some, some, some, some),
)
V513 = (
    b"\x80\x04\x95\x94\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x06method\x94\x8c\x04emit\x94\x8c\x05event\x94\x8c\x03old"
    b"\x94\x8c\x04data\x94\x8c\x01a\x94C\x01\x00\x94}\x94\x8c\x01x\x94]\x94(G?\xf8\x00\x00\x00\x00\x00\x00N\x88es\x87"
    b"\x94\x8c\tnamespace\x94\x8c\x01/\x94\x8c\x04room\x94\x8c\x01r\x94\x8c\x08skip_sid\x94]\x94\x8c\x01s\x94a\x8c"
    b"\x08callback\x94N\x8c\x07host_id\x94\x8c\x04hhhh\x94u."
)
"""What python-socketio 5.13.0 publishes for an emit of three arguments to a room without a client."""


class Evil:
    def __reduce__(self):
        return os.system, ("exit 1",)


@settings(deadline=None)
@given(DATA, st.sampled_from([3, 4, 5]))
def test_data(value, protocol):
    """Any plain data comes back, from every protocol that has bytes."""
    assert read_pickle(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("value", [Evil(), [Evil()], print, datetime(2026, 1, 1), {"a": Evil}, ValueError()])
def test_no_more_than_data(value):
    """A pickle that names a class or a function is refused, whatever the protocol."""
    for protocol in range(6):
        with pytest.raises(ValueError, match="not a pickle of plain data"):
            read_pickle(pickle.dumps(value, protocol))


@settings(deadline=None)
@given(st.binary())
def test_any_bytes(raw):
    """Other bytes are refused with the same error."""
    with contextlib.suppress(ValueError):
        read_pickle(b"\x80\x04" + raw)


def test_bombs():
    """A short pickle that stands for very many values, or asks for much memory, is refused at no cost."""
    bomb = ["x"] * 10
    for _ in range(12):
        bomb = [bomb] * 10
    loop = []
    loop.append(loop)
    tracemalloc.start()
    for raw in (
        pickle.dumps(bomb),
        pickle.dumps(loop),
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\x00\x00\x00.",
        b"\x80\x04Nr\xff\xff\xff\xff0.",
    ):
        with pytest.raises(ValueError):
            read_pickle(raw)
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


def test_of_old_versions():
    """What version 5.13 publishes is read, and what is written for it is what it would publish."""
    stock = Stock("abcdefgh", lambda node: False, old=True)
    event = Event("/", ["old", "a", b"\0", {"x": [1.5, None, True]}], ["r"], ("s",))
    assert stock.read("socketio", V513) == [event]
    (post,) = stock.write(event)
    written, theirs = pickle.loads(post.payload), pickle.loads(V513)
    assert {**written, "host_id": "hhhh"} == theirs
