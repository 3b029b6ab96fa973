"""A batch that is made in C is the one that is made in Python, and what comes back is noted as there."""

from __future__ import annotations

import asyncio
import gc
import sys
import weakref
from contextlib import asynccontextmanager

import pytest

from socketio_cluster.manager.brokers.redis import connect
from socketio_cluster.manager.bus import short_batch
from socketio_cluster.manager.bus.broker import Publication
from socketio_cluster.manager.bus.outgoing import BATCH_BYTES, BATCH_ENTRIES
from socketio_cluster.manager.bus.window import Window
from socketio_cluster.manager.errors import BrokerError, PublishError
from socketio_cluster.manager.native.library import load
from tests.manager.batches_rig import Bench
from tests.services.redis import RedisServer

pytestmark = pytest.mark.skipif(load("manager.native._batch") is None, reason="it is not compiled here")


@pytest.fixture
async def bench(monkeypatch):
    """A sender with a broker, whose batches are made in C."""
    bench = Bench(monkeypatch)
    await bench.join()
    assert type(bench.batches._turn).__name__ == "Batching"
    yield bench
    await bench.close()


CHANNELS = ("p:a",)


def ways(bench):
    """Return how many batches what is in C has refused, and how many it gave back, since the last call."""
    batches = bench.batches
    counts, batches.general, batches.unusual = (batches.general, batches.unusual), 0, 0
    return counts


async def test_a_batch(bench):
    """It is written as the commands that publish it, and noted when the bus has it."""
    await bench.post(b"one", b"", b"x" * 12345, channels=("p:a",))
    assert bench.wire.written == [
        bench.expected((b"one", "p:a"), (b"", "p:a"), (b"x" * 12345, "p:a")),
    ]
    assert [entry.number for entry in bench.sender._under_way] == [1, 2, 3]
    assert (bench.backlog.handed, bench.backlog.reached, bench.sender._through) == (3, 0, False)
    assert bench.batches._busy
    await bench.replied()
    assert (bench.backlog.handed, bench.backlog.reached, bench.sender._through) == (3, 3, True)
    assert (bench.backlog.unsent, [entry.number for entry in bench.backlog._sent]) == (0, [1, 2, 3])
    assert (bench.sender._under_way, bench.sent, bench.batches._busy) == ([], 1, False)
    assert ways(bench) == (0, 0)


async def test_several_channels(bench):
    """An entry goes to each of its channels, by commands that each have a reply."""
    bench.add(b"one", channels=("p:a", "p:longer", ""))
    await bench.post(b"two", channels=("p:b",))
    assert bench.wire.written == [bench.expected((b"one", "p:a", "p:longer", ""), (b"two", "p:b"))]
    await bench.replied(b":0\r\n:3\r\n")
    await bench.replied(b":1\r\n")
    assert bench.backlog.reached == 0
    await bench.replied(b":1\r\n")
    assert bench.backlog.reached == 2
    assert ways(bench) == (0, 0)


@pytest.mark.parametrize("size", [0, 1, 9, 10, 99, 100, 999, 1000, 99_999, 100_000])
async def test_lengths(bench, size):
    """However long a payload and the name of a channel are."""
    await bench.post(b"x" * size, channels=("c" * size,))
    assert bench.wire.written == [bench.expected((b"x" * size, "c" * size))]
    assert ways(bench) == (0, 0)


async def test_the_most_entries(bench):
    """What is more than a batch holds goes with the next one, which starts at once."""
    await bench.post(*[b"x"] * (BATCH_ENTRIES + 1))
    assert bench.wire.written == [bench.expected(*[(b"x", "p:a")] * BATCH_ENTRIES)]
    await bench.replied()
    assert bench.wire.written[1:] == [bench.expected((b"x", "p:a"))]
    await bench.replied()
    assert (bench.backlog.reached, bench.batches._busy) == (BATCH_ENTRIES + 1, False)
    assert ways(bench) == (0, 0)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ((0, -1, 0), (1, 2)),
        ((-10, 10, 0), (3,)),
        ((-10, 9, 1, 1), (3, 1)),
        ((-10, 10, 0, 1), (3, 1)),
        ((-10, 11), (1, 1)),
        ((1, 0, 5), (1, 2)),
    ],
)
async def test_the_most_bytes(bench, sizes, expected):
    """Payloads go together up to a limit, to which sizes are relative, and one that is larger goes alone."""
    payloads = [b"x" * (BATCH_BYTES + size if at == 0 or size < 0 else size) for at, size in enumerate(sizes)]
    await bench.post(*payloads)
    while bench.backlog.unsent:
        await bench.replied()
    assert tuple(each.count(b"PUBLISH") for each in bench.wire.written) == expected
    assert b"".join(bench.wire.written) == bench.expected(*[(each, "p:a") for each in payloads])
    assert ways(bench) == (0, 0)


async def test_what_comes_meanwhile(bench):
    """It goes with the next batch, as soon as the bus has the one before."""
    await bench.post(b"one")
    await bench.post(b"two")
    await bench.post(b"three")
    assert (len(bench.wire.written), bench.batches._more) == (1, True)
    await bench.replied()
    assert bench.wire.written[1:] == [bench.expected((b"two", "p:a"), (b"three", "p:a"))]
    assert (bench.backlog.reached, bench.batches._more) == (1, False)
    await bench.replied()
    assert (bench.backlog.reached, bench.batches._busy) == (3, False)
    assert ways(bench) == (0, 0)


async def test_nothing_waits(bench):
    """A call for nothing changes nothing."""
    before = bench.state()
    bench.batches.wake()
    await bench.settle()
    assert bench.state() == before
    await bench.post(b"one")
    bench.batches.wake()
    await bench.replied()
    assert (len(bench.wire.written), bench.batches._busy, bench.batches._more) == (1, False, False)
    assert ways(bench) == (0, 0)


async def test_the_window(bench):
    """The way to the bus and back is measured, but not while what waited before flows slowly."""
    bench.window.steps.append(asyncio.get_running_loop().time())
    await bench.post(b"one", b"two")
    bench.window.steps.append(asyncio.get_running_loop().time())
    await bench.replied()
    assert bench.window.noted == ["open", (2, 1, 2)]
    await bench.post(b"three")
    bench.outgoing.flow_paced(1)
    bench.add(b"four")
    bench.outgoing._paced_until = 4
    await bench.replied()
    assert bench.window.noted[2:] == []


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


async def test_a_refusal(bench):
    """An entry of which one command is not allowed is given up; others are sent, and the broker goes on."""
    bench.window.steps.append(asyncio.get_running_loop().time())
    bench.add(b"one", channels=("p:a", "p:no"))
    await bench.post(b"two")
    await bench.replied(b":1\r\n-NOPERM not this one\r\n:1\r\n")
    assert [(number, "not this one" in why) for number, why in bench.given_up] == [(1, True)]
    assert ([entry.number for entry in bench.backlog._sent], bench.ends) == ([2], [])
    assert (bench.backlog.reached, bench.sender._through, bench.sent) == (2, True, 1)
    assert ways(bench) == (0, 1)
    assert bench.window.noted == ["open", (2, 1, 1)]
    await bench.post(b"three")
    await bench.replied()
    assert (bench.backlog.reached, ways(bench)) == (3, (0, 0))


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (b"-ERR what\r\n", "PublishError"),
        (b"-OOM no memory\r\n", "BrokerError"),
        (b"$-1\r\n", None),
        (b"?\r\n", "PublishError"),
    ],
)
async def test_other_replies(bench, reply, kind):
    """An error ends the work with the broker, and the batch is sent again; what is no error is none."""
    await bench.post(b"one", b"two")
    await bench.replied(b":1\r\n" + reply)
    assert [error.partition("(")[0] for error, *_ in bench.ends] == ([kind] if kind else [])
    assert (bench.backlog.unsent, ways(bench)) == ((2, (0, 1)) if kind else (0, (0, 1)))
    if kind:
        assert bench.sender.errors == 1
        await bench.join()
        assert bench.wire.written == [bench.expected((b"one", "p:a"), (b"two", "p:a"))]


async def test_silence(bench):
    """A server that does not reply in time ends the work with the broker."""
    await bench.post(b"one")
    bench.replies._give_up(TimeoutError())
    await bench.settle()
    assert [error for error, *_ in bench.ends] == [
        "BrokerError('Redis at server:1 has not answered for 5 s')"
    ]
    assert (bench.backlog.unsent, bench.sender.errors, ways(bench)) == (1, 1, (0, 1))


async def test_a_culprit(bench):
    """An entry at which the connection ends again and again is given up, and the others are sent."""
    while not bench.given_up:
        bench.add(*[b"x"] * (0 if bench.number else 3))
        await bench.settle()
        if bench.running is None:
            await bench.join()
        numbers = [entry.number for entry in bench.sender._under_way]
        if 2 in numbers:
            bench.replies.connection_lost(OSError("gone"))
        else:
            bench.reply()
        await bench.settle()
        bench.batches.wake()
    assert [number for number, _ in bench.given_up] == [2]
    await bench.join()
    await bench.replied()
    assert [entry.number for entry in bench.backlog._sent] == [1, 3]


async def test_late_replies(bench):
    """Replies to a batch that another broker has sent again change nothing."""
    await bench.post(b"one")
    former = bench.broker
    await bench.leave()
    await bench.join()
    assert bench.wire.written == [bench.expected((b"one", "p:a"))]
    before = bench.state()
    bench.reply(broker=former)
    await bench.settle()
    del (after := bench.state())["brokers"], before["brokers"]
    assert after == before
    await bench.replied()
    assert (bench.backlog.reached, bench.sent) == (1, 1)


async def test_a_turn_that_comes_too_late(bench):
    """A batch that was to be made when the work with its broker ends is left to the next one."""
    bench.running.cancel()
    bench.add(b"one")
    bench.batches.wake()
    await asyncio.wait([bench.running])
    await asyncio.sleep(0)
    assert (bench.wire.written, bench.backlog.handed) == ([], 0)
    await bench.leave()
    await bench.join()
    assert bench.wire.written == [bench.expected((b"one", "p:a"))]


async def test_what_leaves_while_it_is_on_its_way(bench):
    """Entries that were dropped, withdrawn or too old when the replies come are not sent ones."""
    await bench.post(b"one", b"two", b"three", b"four")
    bench.backlog.drop(2)
    assert not bench.backlog.withdraw(4)
    bench.backlog._max_age = -1.0
    assert bench.backlog.expire(0.0) == 2
    bench.backlog._max_age = 60.0
    await bench.post(b"five")
    await bench.replied()
    assert (bench.backlog.reached, list(bench.backlog._sent)) == (4, [])
    await bench.replied()
    assert [entry.number for entry in bench.backlog._sent] == [5]
    assert ways(bench) == (0, 0)


async def test_what_is_posted_when_a_batch_was_sent(bench):
    """Whoever hears that a batch was sent may post, and that goes with the next one."""
    await bench.post(b"one")
    bench.on_sent = lambda: (bench.add(b"two"), bench.batches.wake())
    await bench.replied()
    assert bench.wire.written[1:] == [bench.expected((b"two", "p:a"))]
    assert ways(bench) == (0, 0)


async def test_a_failure_when_a_batch_was_sent(bench):
    """It goes to whoever gives the replies."""
    await bench.post(b"one")

    def fail():
        raise RuntimeError("a test says so")

    bench.on_sent = fail
    with pytest.raises(RuntimeError, match="a test says so"):
        bench.reply()
    assert (bench.backlog.reached, bench.ends, bench.running.done()) == (1, [], False)


async def test_books_that_fail(bench, monkeypatch):
    """An error while a batch is noted ends the work with the broker."""
    monkeypatch.setattr(Window, "took", lambda *args: 1 / 0)
    await bench.post(b"one")
    await bench.replied()
    assert [(error, moved) for error, _, moved in bench.ends] == [
        ("ZeroDivisionError('division by zero')", None)
    ]
    assert (bench.sent, ways(bench)) == (0, (0, 0))


async def test_what_a_former_broker_left(bench):
    """A batch that a bug has ended does not count for the next broker, when nothing of it waits any more."""
    await bench.post(b"one")
    await bench.leave(RuntimeError("a bug"))
    bench.backlog.drop(1)
    await bench.join()
    assert bench.sender._under_way == []
    assert bench.sender.broke(PublishError("gone"))
    assert bench.sender.errors == 0


async def test_what_it_does_not_know(bench, caplog):
    """Brokers of another kind, or without the slots that it works with, have batches made in Python."""
    assert short_batch.short_batch(bench.batches, object()) is None
    assert caplog.messages == []
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(bench.broker, "_inbox", object())
        assert short_batch.short_batch(bench.batches, bench.broker) is None
    assert "has no attribute 'error'" in caplog.text


@asynccontextmanager
async def meeting(bench, server):
    """Work with a broker of a real server, beside one that listens there."""
    server.ask("ACL", "SETUSER", "app", "on", ">secret", "+@all", "&p:a")
    listener = await connect(server.url)
    await listener.subscribe(["p:a", "p:no"])
    await bench.serve(await connect(server.url.replace("//", "//app:secret@")))
    try:
        async with asyncio.timeout(30):
            yield listener
    finally:
        await listener.close()
        await bench.leave()
        await bench.broker.close()


async def all_sent(bench):
    while bench.backlog.unsent:
        sent = asyncio.Event()
        bench.on_sent = sent.set
        await sent.wait()


async def test_a_server(monkeypatch, tmp_path):
    """A real server gets what it allows, in order, and what waits when it ends goes to the next one."""
    bench, payloads = Bench(monkeypatch), [b"%d" % at for at in range(2500)]
    with RedisServer(tmp_path) as server:
        async with meeting(bench, server) as listener:
            bench.add(b"denied", channels=("p:no",))
            await bench.post(*payloads)
            arrived = []
            while len(arrived) < len(payloads):
                arrived += await listener.receive()
            await all_sent(bench)
            assert [delivery.payload for delivery in arrived] == payloads
            assert [number for number, _ in bench.given_up] == [1]
            assert ways(bench) == (0, 1)
            server.stop()
            with pytest.raises(BrokerError):
                await bench.broker.receive()
            await bench.post(b"last")
            assert bench.running is None
        server.start()
        async with meeting(bench, server) as listener:
            assert [delivery.payload for delivery in await listener.receive()] == [b"last"]
            await all_sent(bench)
            assert (len(bench.backlog._sent), ways(bench)) == (2501, (1, 0))


async def test_nothing_leaks(bench):
    """Batches leave no objects behind, and no references, however they end."""
    unusual = [b":1\r\n-NOPERM no\r\n", b":1\r\n$-1\r\n"]
    texts = [b"one", b"two"]

    async def counts():
        for number in range(200):
            await bench.post(*texts, channels=CHANNELS)
            await bench.replied(*unusual[number : number + 1])
            bench.backlog.expire(1000.0)
            bench.backlog._gone.clear()
            for noted in (bench.wire.written, bench.given_up, bench.window.noted):
                noted.clear()
        bench.passed += 1
        gc.collect()
        objects = (None, True, False, CHANNELS, texts[0], bench.broker, bench.batches, bench.batches._turn)
        return [sys.getrefcount(each) for each in objects], sys.getallocatedblocks()

    bench.backlog._max_age = 500.0
    await counts()
    (before, blocks), (after, more) = await counts(), await counts()
    assert all(abs(a - b) < 20 for a, b in zip(before, after, strict=True))
    assert more - blocks < 100


async def test_a_broker_is_collected(bench):
    """A broker whose batch is on its way is collected when nobody uses it any more."""
    await bench.post(b"one")
    left = weakref.ref(bench.broker)
    await bench.leave()
    bench.replies._patience.end()
    bench.brokers.clear()
    await asyncio.sleep(0)
    gc.collect()
    assert left() is None
    await bench.join()
