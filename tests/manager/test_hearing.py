"""The receipt of events in C is used where it is there and fits; without it nodes work the same."""

from __future__ import annotations

import gc
import logging
import weakref

import pytest

from socketio_cluster.manager import hearing
from socketio_cluster.manager.bridge.bridge_manager import BridgeManager
from socketio_cluster.manager.bus.lateness import MANY
from socketio_cluster.manager.bus.messages import Emit, Gone, Recorded
from socketio_cluster.manager.bus.receiver import Receiver
from socketio_cluster.manager.native.library import HEAR, VARIABLE, load
from tests.leaks import nothing_left
from tests.manager.hearing_rig import ME, SECRET, Hearing, stamp

there = pytest.mark.skipif(load(HEAR) is None, reason="the receipt is not compiled here")

EVENT = Emit("/", ["room"], [], ['2["näws",1]'.encode()], True)
PLACE = 1_800_000_000_000_000


@pytest.fixture
def slow(monkeypatch):
    """The deliveries that are heard in Python, of nodes that are made from now on."""
    slow = []
    arrived = Receiver.arrived

    def noted(receiver, deliveries):
        slow.extend(deliveries)
        arrived(receiver, deliveries)

    monkeypatch.setattr(Receiver, "arrived", noted)
    return slow


def node_of(monkeypatch, way="compiled", **options):
    node = Hearing(monkeypatch, way, **options)
    node.add("one", "room", session=node.manager.recovery is not None)
    return node


def some(node, first):
    """Return five events for the node's client: of others, and with recovery its own too."""
    numbers = range(first, first + 5)
    if node.manager.recovery is None:
        return [node.pack(EVENT, number) for number in numbers]
    others = [node.pack(Recorded(EVENT), number) for number in numbers[:2]]
    own = [node.post(Recorded(EVENT), number) for number in numbers[2:]]
    return [stamp(raw, PLACE + number) for raw, number in zip(others + own, numbers, strict=True)]


@there
@pytest.mark.parametrize("recovery", [True, False])
@pytest.mark.parametrize("secret", [None, SECRET])
def test_used(monkeypatch, slow, recovery, secret):
    """All but the first events are heard in C: by these a node gets to know who is there."""
    node = node_of(monkeypatch, recovery=recovery, secret=secret)
    node.hear(*some(node, 1))
    slow.clear()
    node.hear(*some(node, 11), *some(node, 21))
    assert not slow
    assert len(node.got) == node.manager.stats.delivered == 15


@there
def test_echo(monkeypatch, slow):
    """What a node has said itself is dropped in C."""
    node = node_of(monkeypatch, recovery=False)
    node.hear(node.pack(EVENT, 1, origin=ME), node.pack(Gone(1), 2, origin=ME))
    assert not slow
    assert not node.got


@pytest.mark.parametrize("recovery", [True, False])
def test_off(monkeypatch, slow, recovery):
    """Without it everything is heard in Python."""
    node = node_of(monkeypatch, "python", recovery=recovery)
    node.hear(*some(node, 1))
    assert len(node.got) == len(slow) == 5


@there
def test_bridges(monkeypatch):
    """A bridge passes events on, so it hears them in its own way; with recovery that is another one."""
    monkeypatch.setenv(VARIABLE, "on")
    assert "arrived" not in vars(BridgeManager("local:///nowhere.sock").node.receiver)
    assert "arrived" in vars(BridgeManager("local:///nowhere.sock", recovery_seconds=60).node.receiver)


class NoSlots:
    """A client as it might be one day."""

    sid = None


@there
@pytest.mark.parametrize(
    ("part", "value", "why"),
    [
        ("client", NoSlots, "no attribute 'namespace'"),
        ("book", None, "book is missing or of another type"),
        ("node", "x", "of another size"),
        ("rate", "x", "'str' object"),
        ("order", NoSlots(), "no attribute 'epoch'"),
    ],
)
def test_does_not_fit(monkeypatch, caplog, part, value, why):
    """When it does not fit the objects of this release, a line says so, and events are heard in Python."""
    parts = hearing._parts
    monkeypatch.setattr(hearing, "_parts", lambda *of: {**parts(*of), part: value})
    with caplog.at_level(logging.WARNING):
        node = node_of(monkeypatch)
    assert why in caplog.text
    node.hear(*some(node, 1))
    assert len(node.got) == 5


@there
def test_end(monkeypatch):
    """What is no error but the end of the process is not kept from ending it."""
    node = node_of(monkeypatch, recovery=False)
    node.hear(node.pack(EVENT, 1))
    node.failing = "one", KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        node.hear(node.pack(EVENT, 2))


@there
@pytest.mark.parametrize("recovery", [True, False])
def test_nothing_is_left(monkeypatch, recovery):
    """A node that nobody uses any more is collected."""
    node = node_of(monkeypatch, recovery=recovery)
    node.hear(*some(node, 1))
    left = weakref.ref(node.manager.node.receiver), weakref.ref(node.clients["one"].write)
    del node
    gc.collect()
    assert [each() for each in left] == [None, None]


@there
@pytest.mark.parametrize("recovery", [True, False])
def test_many_events_leave_nothing(monkeypatch, recovery):
    """Whatever comes, it leaves no reference behind."""
    node = node_of(monkeypatch, recovery=recovery)
    odd = [b"", b"N", node.pack(Gone(1), 0), node.pack(Recorded(EVENT), 1)]
    objects = node.manager.stats, None, True, node.clients["one"], node.receiver, node.manager.node.id
    numbers = iter(range(1, 10**6, 10))

    def many():
        for _ in range(200):
            node.hear(*some(node, next(numbers)), *odd, stamp(odd[-1], PLACE))
            node.got.clear()

    many()
    with nothing_left(*objects):
        many()


@there
def test_forged_number(monkeypatch):
    """A number that its sender cannot have reached is refused, as it would make all later ones repeats."""
    node = node_of(monkeypatch, recovery=False)
    node.hear(node.pack(EVENT, 1), node.pack(EVENT, 2), node.pack(EVENT, 1_000_003), node.pack(EVENT, 3))
    assert len(node.got) == 3
    assert node.manager.stats.refused == {"number": 1}


@pytest.mark.parametrize("way", ["compiled", "python"])
@pytest.mark.parametrize("recovery", [True, False])
def test_others_that_are_late(monkeypatch, way, recovery):
    """They are told, when very many deliveries came at once."""
    node, told = node_of(monkeypatch, way, recovery=recovery), []
    monkeypatch.setattr(node.receiver._lateness, "_tell", lambda *late: told.append(late))

    def hear(first, count, age):
        raw = [node.pack(EVENT, number, age=age) for number in range(first, first + count)]
        node.hear(*([stamp(one, PLACE + first) for one in raw] if recovery else raw))

    hear(1, MANY, 0.0)
    assert not told
    hear(MANY + 1, MANY - 1, 0.5)
    assert not told
    hear(2 * MANY, MANY, 0.5)
    assert told == [(["otherone"], pytest.approx(0.5))]
