"""What a client is owed of rooms that it has left, without a bus."""

from __future__ import annotations

import random
from itertools import count

import msgspec
import pytest

from socketio_cluster.manager.bus.channels import Channels
from socketio_cluster.manager.bus.stays import MOST, NONE, Stay, Stays
from socketio_cluster.manager.recovery.memory import Memory
from tests.recovery.wanderer import Wanderer


@pytest.mark.parametrize("seed", range(10))
async def test_a_wanderer(seed):
    """Whenever a client comes back, it gets what was emitted to rooms while it was in them, and no more."""
    for run in range(30):
        now, sent = count(1000), count(1)
        memory = Memory(next(now))

        async def ask(operation, memory=memory, now=now):
            return memory.carry_out(operation, next(now) / 100)

        async def record(channels, memory=memory, now=now, sent=sent):
            return memory.record("nodenode", next(sent), tuple(channels), b"event", next(now) / 100).number

        wanderer = Wanderer(random.Random(f"{seed} {run}"), Channels("sio"), ask, record)
        await wanderer.start()
        for _ in range(80):
            await wanderer.step()
        await wanderer.back()


def test_stays_end():
    """A stay is kept until the client has passed its end; one in which nothing was emitted is none."""
    stays = NONE.plus([Stay("sred", 5, 10), Stay("sblue", 8, 8), Stay("sred", 12, 20)], 7)
    assert [number for number in range(30) if stays.have("sred", number)] == [*range(6, 11), *range(13, 21)]
    assert not stays.have("sblue", 8)
    assert stays.plus((), 10) == Stays(0, (Stay("sred", 12, 20),))
    assert stays.plus((), 20) is NONE
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(stays), type=Stays) == stays


def test_too_many_stays():
    """The oldest go, and the floor says from where on all are kept, until the client has passed it."""
    stays = NONE.plus([Stay("sred", number, number + 1) for number in range(MOST + 10)], 0)
    assert (len(stays.ended), stays.floor) == (MOST, 10)
    assert stays.ended[0] == Stay("sred", 10, 11)
    assert stays.plus((), MOST).floor == 10
    assert stays.plus((), MOST + 10) is NONE
