"""Whatever happens, batches that are made in C are those that are made in Python, as are the books."""

from __future__ import annotations

import asyncio
import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from socketio_cluster.manager.bus import outgoing, sender, short_batch
from socketio_cluster.manager.bus.broker import Publication
from socketio_cluster.manager.bus.channels import Channels
from socketio_cluster.manager.bus.envelope import Codec, Header
from socketio_cluster.manager.bus.messages import Gone
from socketio_cluster.manager.errors import BrokerError, WrongServer
from socketio_cluster.manager.native.library import load
from tests.manager.batches_rig import Bench

pytestmark = pytest.mark.skipif(load("manager.native._batch") is None, reason="it is not compiled here")

ROOM = Channels("p").room("/", "red")
CODEC = Codec("p", None)
LIMITS = [
    (sender, "BATCH_ENTRIES", 4),
    (short_batch, "BATCH_ENTRIES", 4),
    (outgoing, "BATCH_BYTES", 60),
    (short_batch, "BATCH_BYTES", 60),
    (outgoing, "LEAST_BYTES", 2),
]
REPLIES = {
    "good": b":1\r\n",
    "denied": b"-NOPERM no\r\n",
    "error": b"-ERR what\r\n",
    "passing": b"-OOM no memory\r\n",
    "odd": b"$-1\r\n",
    "broken": b"?\r\n",
}


def one_of(usual, *others, times=9):
    """The first one, so many times of ten."""
    return st.sampled_from([usual] * times * len(others) + [*others] * (10 - times))


posts = st.tuples(
    st.just("post"),
    st.sampled_from([b"", b"x", b"y" * 30, b"y" * 30, b"z" * 61]),
    one_of(("p:a",), ("p:a", "p:b"), ("p:a", "p:\xe4"), (), times=8),
    one_of((), (ROOM,)),
)
replies = st.tuples(
    st.just("reply"),
    st.lists(one_of("good", "denied", "denied", *REPLIES), min_size=1, max_size=4),
    one_of(100, 1, 2),
)
often = st.one_of(
    posts, posts, replies, st.tuples(st.sampled_from(["wake", "wake", "wake", "mark comes", "flow"]))
)
seldom = st.one_of(
    st.tuples(st.sampled_from(["hold", "flow slowly", "flow slowly", "notice", "prove", "one waits"])),
    st.tuples(st.sampled_from(["lost", "silent", "behind", "late", "surplus", "ask"])),
    st.tuples(st.sampled_from(["write fails", "write ends", "sent posts", "sent fails", "sent ends"])),
    st.tuples(st.just("answer"), st.integers(1, 3)),
    st.tuples(st.just("withdraw"), st.integers(0, 9)),
    st.tuples(st.just("pass"), st.sampled_from([1.0, 30.0, 61.0])),
    st.tuples(st.just("leave"), st.sampled_from([None, RuntimeError("a bug"), WrongServer("a replica")])),
    st.tuples(st.just("join"), one_of(None, 25), one_of(None, 20.0)),
)


@st.composite
def turns(draw):
    """What happens in one turn: that is often the usual."""
    begin = [(draw(one_of("join", "wake", times=8)),)]
    return (
        begin
        + draw(st.lists(often, min_size=1, max_size=4))
        + draw(st.just([]) | st.just([]) | st.lists(seldom, max_size=1))
    )


def fail():
    raise RuntimeError("a test says so")


def post(bench, payload=b"x", channels=("p:a",), recorded=()):
    if recorded:
        payload = CODEC.pack(Header("mememeee", bench.number + 1, 1.0), Gone(7))
    bench.add(payload, channels=channels, recorded=recorded)
    bench.batches.wake()


def reply(bench, kinds, most):
    """Reply to what was asked, by the kinds in turn, and to so many commands at most."""
    asked = sum(question.count - len(question.replies) for question in bench.replies._questions)
    if asked:
        bench.reply(*[REPLIES[kinds[at % len(kinds)]] for at in range(min(asked, most))])


async def act(bench, what, *values):
    """Let one thing happen."""
    waiting = bench.outgoing
    match what:
        case "post":
            post(bench, *values)
        case "reply":
            reply(bench, *values)
        case "wake":
            bench.batches.wake()
        case "join" if bench.running is None:
            limit, seconds = values or (None, None)
            await bench.join(limit, seconds and bench.passed - seconds)
        case "leave":
            await bench.leave(*values)
        case "hold":
            waiting.hold()
        case "flow":
            waiting.flow()
            bench.batches.wake()
        case "flow slowly":
            bench.add(*[b"x"] * 5)
            waiting.flow_paced(10**9)
            bench.batches.wake()
        case "mark comes":
            waiting.mark_heard()
            bench.batches.wake()
        case "notice":
            waiting.notice(Publication(("p:n",), b"beat"))
            bench.batches.wake()
        case "answer":
            bench.answers += [Publication(("p:n",), b"answer")] * values[0]
            waiting.asked()
            bench.batches.wake()
        case "one waits":
            bench.add(b"x")
        case "withdraw" if bench.backlog.unsent:
            bench.backlog.withdraw(bench.backlog._unsent[values[0] % bench.backlog.unsent].number)
        case "pass":
            bench.passed += values[0]
            bench.backlog.expire(bench.passed)
        case "prove":
            bench.sender.proven = bench.backlog.reached
        case "ask":
            bench.broker._publisher._replies._error or bench.replies.ask_soon(b"PING")
        case _:
            go_wrong(bench, what)


def go_wrong(bench, what):
    """Let something go wrong with a broker."""
    match what:
        case "lost":
            bench.replies.connection_lost(OSError("gone"))
        case "silent":
            bench.replies._give_up(TimeoutError())
        case "behind":
            bench.broker.fail(BrokerError("too far behind"))
        case "surplus":
            bench.replies.data_received(b":1\r\n")
        case "late":
            for former in bench.brokers[:-1]:
                bench.reply(b"", broker=former)
                bench.reply(broker=former)
        case "write fails":
            bench.wire.failing = RuntimeError("the handler is closed")
        case "write ends":
            bench.wire.ending = lambda line=bench.replies: line.connection_lost(OSError("gone"))
        case "sent posts":
            bench.on_sent = lambda: post(bench)
        case "sent fails":
            bench.on_sent = fail
        case "sent ends":
            bench.on_sent = lambda line=bench.replies: line.connection_lost(OSError("gone"))


async def play(bench, script):
    """Let it all happen, and return what can be seen after each turn."""
    await bench.join()
    seen = []
    for turn in script:
        bench.window.steps.append(asyncio.get_running_loop().time())
        for what in turn:
            try:
                await act(bench, *what)
            except RuntimeError as error:
                seen.append(repr(error))
        await bench.settle()
        seen.append(bench.state())
    await bench.close()
    return seen


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(turns(), min_size=5, max_size=25))
def test_alike(caplog, script):
    """The same is written, noted, given up and said after each turn."""
    seen = []
    for compiled in (False, True):
        caplog.clear()
        with pytest.MonkeyPatch.context() as patches, caplog.at_level(logging.WARNING):
            for module, name, value in LIMITS:
                patches.setattr(module, name, value)
            bench = Bench(patches, compiled=compiled, max_bytes=400)
            states = asyncio.run(play(bench, script))
            said = [each.getMessage() for each in caplog.records if each.name.startswith("socketio")]
            seen.append((states, said))
    for python, made_in_c in zip(seen[0][0], seen[1][0], strict=True):
        assert made_in_c == python
    assert seen[1][1] == seen[0][1]
