"""The rollout's ledger finds what is missing: here a client of node a hears the nodes a and b."""

from __future__ import annotations

from math import inf

import pytest

from tests.k8s.ledger import Ledger

SAID = {number: float(number) for number in range(1, 11)}


def ledger(own, other, *, went=8.5, killed=None, at=inf, handlers=("came", "went")):
    """The ledger of a session from after the second word to after the eighth; each node says one a second."""
    session = {"client": 0, "sid": "s", "room": "r", "came": 2.6, "transport": "polling"}
    session |= {"heard": {"a": own, "b": other}, **({"went": went} if went else {})}
    entries = {
        "came": {"what": "came", "sid": "s", "node": "a", "said": 2, "at": 2.5},
        "went": {"what": "went", "sid": "s", "node": "a", "said": 8, "at": 8.5},
    }
    report = {
        "sessions": [session],
        "errors": [],
        "said": {"r a": SAID, "r b": SAID},
        "ledger": [entries[what] for what in handlers],
    }
    return Ledger(report, killed, at)


def missing(found):
    return {node: numbers for _, node, numbers in found.lost()}


def test_all_is_there():
    """Words before and after may come too; those of another node's last second may be missing."""
    assert missing(ledger([3, 4, 5, 6, 7, 8], [3, 4, 5, 6, 7])) == {}
    assert missing(ledger([2, 3, 4, 5, 6, 7, 8, 9], [3, 4, 5, 6, 7, 8, 9])) == {}


@pytest.mark.parametrize(
    ("own", "other", "lost"),
    [
        ([4, 5, 6, 7, 8], [3, 4, 5, 6, 7], {"a": [3]}),
        ([3, 4, 5, 6, 7], [3, 4, 5, 6, 7], {"a": [8]}),
        ([3, 4, 6, 7, 8], [3, 4, 5, 6, 7], {"a": [5]}),
        ([3, 4, 5, 6, 7, 8], [4, 5, 6, 7], {"b": [3]}),
        ([3, 4, 5, 6, 7, 8], [3, 4, 5, 6], {"b": [7]}),
        ([3, 4, 5, 6, 7, 8], [3, 4, 5, 6, 7, 9], {"b": [8]}),
    ],
)
def test_lost(own, other, lost):
    """A word that is missing is found: the first, the last, or one between."""
    assert missing(ledger(own, other)) == lost


def test_still_there():
    """A client that is there at the end has all that was said since it came."""
    assert missing(ledger([*range(3, 11)], [*range(3, 10)], went=None, handlers=["came"])) == {"b": [10]}


def test_killed():
    """Of a killed node the last second of words is not asked for, what is missing between others is."""
    assert missing(ledger([3, 4, 5, 6, 7], [3, 4, 5, 6, 7], killed="a", at=8.0)) == {}
    assert missing(ledger([3, 4, 5, 7], [3, 4, 5, 6, 7], killed="a", at=8.0)) == {"a": [6]}
    assert missing(ledger([3, 4, 5, 6], [3, 4, 5, 6, 7], killed="a", at=8.0)) == {"a": [7]}


def test_doubled():
    """A word that came twice is found."""
    assert [numbers for _, _, numbers in ledger([3, 4, 4, 5], [3, 3, 3]).doubled()] == [[4], [3]]


def test_unwritten():
    """A handler that did not run to its end is found, unless its node was killed."""
    assert len(list(ledger([], [], handlers=["came"]).unwritten())) == 1
    assert len(list(ledger([], [], handlers=["went"]).unwritten())) == 1
    assert list(ledger([], [], handlers=["came"], at=8.0).unwritten()) == []


def test_outages():
    """An outage lasts from a disconnect to the next connect, and for ever when there is none."""
    found = ledger([], [])
    assert list(found.outages()) == [inf]
    again = ledger([], [], went=None).sessions[0]
    again.came = 9.0
    found.sessions.append(again)
    assert list(found.outages()) == [0.5]
