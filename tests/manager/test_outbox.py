"""The outbox: a bounded queue per connection, in portions that a poll can take."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from engineio import packet as eio

from socketio_cluster.manager.clients.backpressure import Backpressure
from socketio_cluster.manager.clients.outgoing import Outgoing
from socketio_cluster.manager.clients.packets import Encoded
from socketio_cluster.manager.host.outbox import POLL_PACKETS, Outbox, Outboxes
from socketio_cluster.manager.stats import Stats


def message(data):
    return eio.Packet(eio.MESSAGE, data)


@pytest.fixture
def full():
    return []


class Keeper:
    """Notes the queues that are behind, and cuts them off."""

    def __init__(self, full):
        self.behind = full.append

    def cut_off(self, queue):
        return "sid"


@pytest.fixture
def outbox(full):
    """An outbox with its mark at 1000 bytes; ``full`` has it for each packet above that."""
    return Outbox(1000, Keeper(full))


def test_counts_what_waits(outbox, full):
    """Bytes are counted in and out, for text, bytes and packets without data."""
    for data in ("text", b"bytes", None):
        outbox.put_nowait(message(data))
    assert outbox.waiting == 4 + 5 + 32
    for _ in range(3):
        outbox.get_nowait()
    assert outbox.waiting == 0
    assert full == []


def test_behind(outbox, full):
    """A queue says after each packet that more than its mark waits, until it is cut off."""
    outbox.put_nowait(message("x" * 1000))
    assert full == []
    for _ in range(5):
        outbox.put_nowait(message("x"))
    assert full == [outbox] * 5
    assert outbox.queued == 1005
    assert outbox.cut_off() == "sid"
    outbox.put_nowait(message("x"))
    assert full == [outbox] * 5
    assert outbox.queued == 0


def test_a_fast_reader_is_never_behind(outbox, full):
    """What has been read does not count."""
    for _ in range(100):
        outbox.put_nowait(message("x" * 900))
        outbox.get_nowait()
        outbox._taken = 0  # each its own poll
    assert full == []


async def test_portions(outbox):
    """A poll gets at most 16 packets, and the next one goes on where it ended."""
    for number in range(POLL_PACKETS + 3):
        outbox.put_nowait(number)
    polls = []
    for _ in range(2):
        poll = [await outbox.get()]
        with contextlib.suppress(asyncio.QueueEmpty):
            while len(poll) < 100:
                poll.append(outbox.get_nowait())
        polls.append(poll)
    assert polls == [list(range(16)), [16, 17, 18]]


async def test_discard(outbox):
    """Discarding throws all away, wakes the writer with None and leaves nobody to wait in join()."""
    for _ in range(POLL_PACKETS * 3):
        outbox.put_nowait(message("x"))
    outbox.discard()
    assert await outbox.get() is None
    outbox.task_done()
    await asyncio.wait_for(outbox.join(), 1)
    assert outbox.empty()


class Socket:
    """What an outboxes uses of a connection."""

    def __init__(self, queue):
        self.sid = "sid"
        self.queue = queue
        self.closed = False
        self.reason = None

    async def close(self, wait, abort, reason):
        self.closed, self.reason = True, reason


class Eio:
    """What an outboxes uses of an Engine.IO server."""

    def __init__(self):
        self.sockets = {}
        self.engine = self

    def use_queue(self, make):
        self.create_queue = make


@pytest.fixture
def eio_server():
    return Eio()


@pytest.fixture
def work():
    return []


@pytest.fixture
def outboxes(eio_server, work):
    """An outboxes for connections of 1000 bytes; ``work`` is what it spawned."""
    outboxes = Outboxes.install(eio_server, 1000, Backpressure(5, Stats()), work.append)
    eio_server.sockets["sid"] = Socket(eio_server.create_queue())
    return outboxes


def test_writes_the_packets(outboxes, eio_server):
    """An event goes into the connection's queue with its attachments, and nowhere when that is closed."""
    write = outboxes.of("sid")
    write(Outgoing(Encoded([b'51-["a"]', b"\x00"], text=True)))
    queue = eio_server.sockets["sid"].queue
    assert [queue.get_nowait().data for _ in range(2)] == ['51-["a"]', b"\x00"]
    eio_server.sockets["sid"].closed = True
    write(Outgoing(Encoded([b'2["a"]'], text=True)))
    outboxes.of("unknown")(Outgoing(Encoded([b'2["a"]'], text=True)))
    assert queue.empty()


async def test_slow_consumer(outboxes, eio_server, work):
    """A client that does not read is disconnected as a slow consumer, and what waited is thrown away."""
    slow = eio_server.sockets["sid"]
    quick = eio_server.sockets["quick"] = Socket(eio_server.create_queue())
    for _ in range(1000):
        outboxes.of("sid")(Outgoing(Encoded([b"x" * 20], text=True)))
    for close in work:
        await close
    assert (slow.reason, len(work)) == ("slow consumer", 1)
    assert await slow.queue.get() is None
    assert not quick.closed
