"""A batch that is not as most are is for Python, before anything has happened in C."""

from __future__ import annotations

import asyncio

import pytest

from socketio_cluster.manager.bus.broker import Publication
from socketio_cluster.manager.errors import BrokerError
from tests.manager.batches_rig import there, ways

pytestmark = there


def notice(bench):
    bench.outgoing.notice(Publication(("p:n",), b"beat"))
    return [[(b"beat", "p:n"), (b"one", "p:a"), (b"two", "p:a")]]


def answer(bench):
    bench.answers.append(Publication(("p:n",), b"answer"))
    bench.outgoing.asked()
    return [[(b"one", "p:a"), (b"two", "p:a"), (b"answer", "p:n")]]


def held(bench):
    bench.outgoing.hold()
    return []


def marked(bench):
    bench.outgoing.marked = True
    return []


def paced(bench):
    bench.add(b"zero")
    bench.outgoing.flow_paced(1)
    return [[(b"zero", "p:a"), (b"one", "p:a"), (b"two", "p:a")]]


def suspect(bench):
    bench.sender._suspect._until = 2
    return [[(b"one", "p:a")]]


def letters(bench):
    bench.add(b"zero", channels=("p:a", "p:\xe4"))
    return [[(b"zero", "p:a", "p:\xe4"), (b"one", "p:a"), (b"two", "p:a")]]


def nowhere(bench):
    bench.add(b"zero", channels=())
    return [[(b"one", "p:a"), (b"two", "p:a")]]


@pytest.mark.parametrize("unusual", [notice, answer, held, marked, paced, suspect, letters, nowhere])
async def test_what_is_not_usual(bench, unusual):
    """It is refused, so that the batch is made in Python; later ones are made in C again."""
    written = unusual(bench)
    await bench.post(b"one", b"two")
    assert bench.wire.written == [bench.expected(*batch) for batch in written]
    assert ways(bench) == (1, 0)
    bench.outgoing.flow()
    bench.batches.wake()
    while bench.backlog.unsent:
        await bench.settle()
        await bench.replied()
    ways(bench)
    await bench.post(b"three")
    assert bench.wire.written[-1] == bench.expected((b"three", "p:a"))
    assert ways(bench) == (0, 0)


async def test_recorded_entries(bench):
    """What the bus keeps is published in Python, whatever is before it."""
    started = []
    bench.broker.start = lambda batch, done: started.append([each.recorded for each in batch])
    bench.add(b"one")
    await bench.post(b"two", recorded=("p:h",))
    assert (started, bench.wire.written) == ([[(), ("p:h",)]], [])
    assert ways(bench) == (1, 0)


async def test_what_is_asked_in_the_same_turn(bench):
    """A question that has not left yet stays before the batch."""
    bench.add(b"one")
    bench.batches.wake()
    asked = bench.replies.ask_soon(b"PING")
    await bench.settle()
    assert bench.wire.written == [b"PING" + bench.expected((b"one", "p:a"))]
    await bench.replied(b"+PONG\r\n:1\r\n")
    assert (await asked, bench.backlog.reached) == ([b"PONG"], 1)
    assert ways(bench) == (0, 0)


@pytest.mark.parametrize("ended", ["inbox", "connection", "publisher"])
async def test_a_broker_that_has_ended(bench, ended):
    """Nothing is written any more, and the error ends the work with the broker."""
    bench.add(b"one")
    if ended == "publisher":  # with RESP2 it has a connection of its own, whose end is first seen at a batch
        bench.replies.on_end(lambda error: None)
    if ended == "inbox":
        bench.broker.fail(BrokerError("too far behind"))
    else:
        bench.replies.connection_lost(OSError("gone"))
    bench.batches.wake()
    await bench.settle()
    kind = "PublishError" if ended == "publisher" else "BrokerError"
    why = "too far behind" if ended == "inbox" else "Redis at server:1 failed: gone"
    assert [error for error, *_ in bench.ends] == [f"{kind}('{why}')"]
    assert bench.backlog.unsent == 1
    assert bench.wire.written == ([] if ended == "inbox" else ["aborted"])


async def test_a_write_that_fails(bench):
    """What a connection raises ends the work with the broker; what ends a program goes through."""
    bench.wire.failing = RuntimeError("the handler is closed")
    await bench.post(b"one")
    assert [(error, moved) for error, _, moved in bench.ends] == [
        ("RuntimeError('the handler is closed')", None)
    ]
    assert (bench.backlog.unsent, bench.backlog._offered) == (1, 1)
    await bench.join()
    assert bench.wire.written == [bench.expected((b"one", "p:a"))]
    await bench.replied()
    bench.add(b"two")
    bench.wire.failing = asyncio.CancelledError()
    with pytest.raises(asyncio.CancelledError):
        bench.batches._turn(bench.broker)
    assert ways(bench) == (0, 0)


async def test_a_connection_that_ends_while_it_is_written_to(bench):
    """Those who wait are told before the batch is asked, and nothing is done twice."""
    bench.wire.ending = lambda: bench.replies.connection_lost(OSError("gone"))
    await bench.post(b"one")
    bench.broker.fail(BrokerError("closed"))
    await bench.leave()
    assert (bench.backlog.unsent, bench.backlog.handed) == (1, 0)
    await bench.join()
    assert bench.wire.written == [bench.expected((b"one", "p:a"))]
    await bench.replied()
    assert bench.backlog.reached == 1
