"""What comes back for a batch that was made in C is noted as for one that was made in Python."""

from __future__ import annotations

import asyncio

import pytest

from socketio_cluster.manager.bus import short_batch
from socketio_cluster.manager.bus.window import Window
from socketio_cluster.manager.errors import PublishError
from tests.manager.batches_rig import there, ways

pytestmark = there


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
