"""What arrives from Redis is read in C where that is there and fits; without it brokers work the same."""

from __future__ import annotations

import asyncio
import gc
import logging
import weakref

import pytest

from socketio_cluster.manager.brokers import redis_compiled
from socketio_cluster.manager.brokers.inbox import AT_ONCE
from socketio_cluster.manager.brokers.redis import PLAIN, SHARDED, RedisBroker
from socketio_cluster.manager.brokers.redis_replies import RedisReplies
from socketio_cluster.manager.bus.broker import Delivery
from socketio_cluster.manager.errors import BrokerError
from socketio_cluster.manager.native.library import READ, SORT, load
from tests.leaks import nothing_left
from tests.manager.pushes_rig import Subscribed, push

there = pytest.mark.skipif(load(READ) is None or load(SORT) is None, reason="it is not compiled here")


@pytest.fixture
async def subscribed(monkeypatch):
    """Call it for a broker that has taken the channel ``c``, and whose reader waits."""
    made = []

    async def subscribe(way="compiled", **options):
        made.append(Subscribed(monkeypatch, way, **options))
        await made[-1].start("c")
        return made[-1]

    yield subscribe
    for each in made:
        await each.end()


@pytest.fixture
def slow(monkeypatch):
    """What is read in Python: the names of the functions that do it."""
    names = []
    for kind, name in ((RedisReplies, "data_received"), (RedisBroker, "_arrived")):
        monkeypatch.setattr(kind, name, _noted(getattr(kind, name), names))
    return names


def _noted(own, names):
    def noted(of, what):
        names.append(own.__name__)
        own(of, what)

    return noted


class Line(asyncio.Transport):
    """A transport of a protocol that is only read."""

    def set_protocol(self, protocol):
        """Take it."""


def messages(*payloads, word=b"message", resp3=True):
    return b"".join(push(word, b"c", payload, resp3=resp3) for payload in payloads)


@there
@pytest.mark.parametrize("resp3", [True, False])
@pytest.mark.parametrize("words", [PLAIN, SHARDED])
async def test_used(subscribed, slow, resp3, words):
    """Messages go to what handles them without a step in Python, however the bytes are cut."""
    one = await subscribed(resp3=resp3, words=words)
    slow.clear()
    wire = messages(b"1", b"", b"3", word=words.message, resp3=resp3)
    one.hear(wire)
    for at in range(len(wire)):
        one.hear(wire[at : at + 1])
    sent = [Delivery("c", payload) for payload in (b"1", b"", b"3")]
    assert one.handed == [sent, *[[each] for each in sent]]
    assert type(one.handed[0][0]) is Delivery
    assert slow == []


@there
@pytest.mark.parametrize("unusual", ["confirmed", "other channel", "many", "busy", "nobody takes", "ended"])
async def test_unusual(subscribed, slow, unusual):
    """What is not just so is sorted in Python, all of one read."""
    one = await subscribed()
    slow.clear()
    wire = messages(b"1")
    match unusual:
        case "confirmed":
            await one.call(one.broker.subscribe(["d"]))
            wire += push(b"subscribe", b"d")
        case "other channel":
            wire += push(b"message", b"e", b"2")
        case "many":
            wire *= AT_ONCE + 1
        case "busy":
            one.reading.cancel()
            await asyncio.sleep(0)
        case "nobody takes":
            one.broker.hand_to(None)
        case "ended":
            one.broker.fail(BrokerError("gone"))
    one.hear(wire)
    assert slow == ["_arrived"]


async def test_off(subscribed, slow):
    """Without it everything is read in Python."""
    one = await subscribed("python")
    slow.clear()
    one.hear(messages(b"1"))
    assert one.handed == [[Delivery("c", b"1")]]
    assert slow == ["data_received", "_arrived"]


@there
@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("PushNotification", None, "push is missing or of another type"),
        ("Delivery", None, "delivery is missing or of another type"),
        ("AT_ONCE", "x", "'str' object"),
    ],
)
async def test_does_not_fit(subscribed, monkeypatch, caplog, name, value, why):
    """When it does not fit the objects of this release, a line says so, and Python does it."""
    monkeypatch.setattr(redis_compiled, name, value)
    with caplog.at_level(logging.WARNING):
        one = await subscribed()
    assert why in caplog.text
    one.hear(messages(b"1"))
    assert one.handed == [[Delivery("c", b"1")]]


@pytest.mark.parametrize("way", ["python", pytest.param("compiled", marks=there)])
async def test_end(subscribed, way):
    """What is no error but the end of the process is not kept from ending it."""
    one = await subscribed(way)
    one.meanwhile = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        one.hear(messages(b"1"))
    one.hear(messages(b"2"))
    assert one.handed[1:] == [[Delivery("c", b"2")]]


@there
async def test_nothing_is_left(monkeypatch):
    """A broker that nobody uses any more is collected."""
    one = Subscribed(monkeypatch, "compiled")
    await one.start("c")
    one.hear(messages(b"1"))
    await one.end()
    left = weakref.ref(one.broker._publisher), weakref.ref(one.replies)
    del one
    gc.collect()
    assert [each() for each in left] == [None, None]


@there
@pytest.mark.parametrize("resp3", [True, False])
async def test_much_leaves_nothing(subscribed, monkeypatch, resp3):
    """Whatever comes, it leaves no reference behind."""
    one = await subscribed(resp3=resp3)
    odd = b">3\r\n$7\r\nmessage\r\n*0\r\n$1\r\nx\r\n", b">1\r\n$1\r\nx\r\n", b":1\r\n"

    def much():
        for _ in range(200):
            one.hear(messages(b"1", b"2", resp3=resp3))
            one.hear(messages(b"3", resp3=resp3)[:-2])
            one.hear(b"\r\n" + push(b"message", b"e", b"4", resp3=resp3))
            one.handed.clear()
            for wire in odd:
                one.hear(wire)
            RedisReplies(Line(), "here").data_received(b"?what\r\n")

    objects = None, True, False, one.broker, one.replies, one.broker._inbox, "c", Delivery
    with monkeypatch.context() as patches:  # so that nothing ends
        patches.setattr(RedisReplies, "_end", lambda *_: None)
        patches.setattr(RedisBroker, "fail", lambda *_: None)
        much()
        with nothing_left(*objects):
            much()
