"""The environ that is made when somebody looks into it is like one that was made at once."""

from __future__ import annotations

import copy
import json

import pytest

from socketio_cluster.cluster.lane.environ import LazyEnviron


def made_late():
    """Give an environ, and a list that grows when it is made."""
    calls = []

    def make():
        calls.append(1)
        return {"QUERY_STRING": "made", "PATH_INFO": "/", "HTTP_A": "b"}

    return LazyEnviron({"QUERY_STRING": "a=b"}, make), calls


def test_the_query_alone():
    """The query is there without the rest."""
    lazy, calls = made_late()
    assert lazy["QUERY_STRING"] == lazy.get("QUERY_STRING") == "a=b"
    assert not calls


@pytest.mark.parametrize(
    "look",
    [
        *(
            lambda e: e["PATH_INFO"],
            lambda e: e.get("X"),
            lambda e: "X" in e,
            len,
            list,
            dict,
            repr,
            bool,
        ),
        *(lambda e: {**e}, lambda e: e.copy(), copy.copy, lambda e: e == {}, lambda e: e | {}),
        *(lambda e: list(e.items()), lambda e: sorted(e.values()), lambda e: e.pop("PATH_INFO")),
        *(lambda e: e.setdefault("HTTP_A", 1), lambda e: {} | e, lambda e: json.dumps(e, sort_keys=True)),
    ],
)
def test_looks(look):
    """Whatever looks into it sees what a dict would show, and it is made once."""
    lazy, calls = made_late()
    plain = {"QUERY_STRING": "a=b", "PATH_INFO": "/", "HTTP_A": "b"}
    assert look(lazy) == look(plain)
    assert lazy == plain
    assert calls == [1]


def test_what_was_set():
    """A value that was set before stays, and a missing one is an error."""
    lazy, calls = made_late()
    lazy["PATH_INFO"] = "mine"
    assert not calls
    with pytest.raises(KeyError):
        lazy["nothing"]
    assert lazy["PATH_INFO"] == "mine"
    assert calls == [1]


def test_all_methods():
    """Each method of a dict is one that looks into it, or one of these."""
    own = {name for name in vars(dict) if name in vars(LazyEnviron)}
    rest = set(vars(dict)) - own - {"__getattribute__"}  # which is there up to Python 3.13
    assert rest == {
        *(
            "__class_getitem__",
            "__getitem__",
            "__ge__",
            "__gt__",
            "__hash__",
            "__le__",
        ),
        *("__lt__", "__new__", "__setitem__", "__sizeof__", "fromkeys"),
    }
