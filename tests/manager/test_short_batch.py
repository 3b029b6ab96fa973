"""A batch that is made in C is the one that is made in Python, with a real server too."""

from __future__ import annotations

import asyncio
import gc
import sys
import weakref
from contextlib import asynccontextmanager

import pytest

from socketio_cluster.manager.brokers.redis import connect
from socketio_cluster.manager.bus.outgoing import BATCH_BYTES, BATCH_ENTRIES
from socketio_cluster.manager.errors import BrokerError
from tests.manager.batches_rig import Bench, there, ways
from tests.services.redis import RedisServer

pytestmark = there

CHANNELS = ("p:a",)


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
