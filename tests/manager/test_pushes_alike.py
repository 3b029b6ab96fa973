"""Whatever arrives from Redis, a broker that reads in C does what one does that reads in Python."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socketio_cluster.manager.brokers.inbox import AT_ONCE
from socketio_cluster.manager.brokers.redis import PLAIN, SHARDED
from socketio_cluster.manager.errors import BrokerError
from socketio_cluster.manager.native.library import READ, SORT, load
from tests.manager.pushes_rig import END, Subscribed, push

pytestmark = pytest.mark.skipif(load(READ) is None or load(SORT) is None, reason="it is not compiled here")

CHANNELS = ["one", "two", "näher"]
ODD = [
    *(
        b"+OK\r\n",
        b":1\r\n",
        b"-ERR what\r\n",
        b"$-1\r\n",
        b"_\r\n",
        b"#f\r\n",
        b"*0\r\n",
        b"*1\r\n$1\r\nx\r\n",
    ),
    *(b">1\r\n$1\r\nx\r\n", b">2\r\n$10\r\ninvalidate\r\n_\r\n", b">0\r\n", b"%1\r\n+a\r\n:1\r\n"),
    *(b">3\r\n$7\r\nmessage\r\n*0\r\n$1\r\nx\r\n", b">3\r\n$7\r\nmessage\r\n$3\r\none\r\n:5\r\n"),
    *(b">3\r\n:1\r\n$3\r\none\r\n$1\r\nx\r\n", b"?what\r\n"),
]
words = st.sampled_from(
    [b"message"] * 30 + [b"smessage", b"pmessage", b"subscribe", b"unsubscribe", b"invalidate"]
)
names = st.sampled_from([each.encode() for each in CHANNELS] * 8 + [b"other", b"__redis__:invalidate"])
payloads = st.sampled_from([b"", b"x", b"\xff\r\n$1", b"long" * 50, *[b"y"] * 20, END])
pushes = st.one_of(
    st.tuples(words, names, payloads),
    st.tuples(st.just(b"message"), names, payloads),
    st.tuples(words, names),
    st.tuples(words, names, payloads, payloads),
)
arrivals = st.one_of(*[pushes] * 9, st.sampled_from(ODD))
steps = st.one_of(
    *[st.tuples(st.just("hear"), st.lists(arrivals, min_size=1, max_size=6))] * 4,
    st.tuples(st.just("messages"), st.sampled_from([1, 2, AT_ONCE, AT_ONCE + 1])),
    st.tuples(st.just("confirm"), st.lists(st.sampled_from(CHANNELS), max_size=2)),
    st.tuples(st.sampled_from(["subscribe", "unsubscribe"]), st.lists(st.sampled_from(CHANNELS), max_size=2)),
    st.tuples(st.sampled_from([*["read"] * 6, "cancel", "nobody", "hand", "ask", "fail", "pass"]), st.none()),
)


@st.composite
def scripts(draw):
    """Some steps. Written out, what they are drawn from would be more than Hypothesis likes to print."""
    return draw(st.lists(steps, min_size=3, max_size=12))


async def do(one, step, value, cut):
    """Take one step of a script."""
    broker, resp3 = one.broker, one.line.pushes
    word = broker._words.message
    match step:
        case "hear":
            wire = b"".join(each if isinstance(each, bytes) else push(*each, resp3=resp3) for each in value)
            wire = wire.replace(b"$7\r\nmessage", b"$%d\r\n%b" % (len(word), word))
            for part in (wire[:cut], wire[cut:]):
                one.hear(part)
        case "messages":
            one.hear(push(word, CHANNELS[0].encode(), b"z", resp3=resp3) * value)
        case "confirm":
            one.confirm(*value)
        case "subscribe":
            await one.call(broker.subscribe(value))
        case "unsubscribe":
            await one.call(broker.unsubscribe(value))
        case "read":
            await one.read()
        case "cancel":
            one.reading.cancel()
        case "nobody":
            broker.hand_to(None)
        case "hand":
            broker.hand_to(one.take)
        case "ask":
            one.ask()
        case "fail":
            broker.fail(BrokerError("failed"))
        case "pass":
            for _ in range(3):
                await asyncio.sleep(0)


async def play(one, script, cut):
    """Return what is so after each step."""
    await one.start(*CHANNELS)
    seen = []
    for step, value in script:
        await do(one, step, value, cut)
        seen.append((step, one.state()))
    await one.end()
    return seen


@settings(max_examples=200, deadline=None)
@given(
    st.booleans(),
    st.sampled_from([PLAIN, SHARDED]),
    scripts(),
    st.integers(0, 60),
)
def test_alike(resp3, kind, script, cut):
    """The same is handed over, kept, answered, confirmed and said, and the same ends the broker."""

    async def played(way):
        with pytest.MonkeyPatch.context() as patches:
            one = Subscribed(patches, way, resp3=resp3, words=kind)
            assert (type(one.replies.data_received).__name__ == "Reading") == (way == "compiled")
            return await play(one, script, cut)

    python, compiled = (asyncio.run(played(way)) for way in ("python", "compiled"))
    assert compiled == python
