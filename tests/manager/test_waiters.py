"""``Waiters``: who waits for room goes on in the order of coming, as far as there is room."""

from __future__ import annotations

import asyncio

import pytest

from socketio_cluster.manager.bus.waiters import Waiters


class Crowd:
    """Tasks that wait for room. Each takes some as it goes on."""

    def __init__(self, room=0):
        self.room = room
        self.gone = []
        self.turns = 0
        self.waiters = Waiters(self.is_crowded)

    def is_crowded(self):
        self.turns += 1
        return self.room <= 0

    async def come(self, name, takes=1):
        await self.waiters.wait()
        self.room -= takes
        self.gone.append(name)

    async def start(self, count, takes=1):
        tasks = [asyncio.create_task(self.come(number, takes)) for number in range(count)]
        await asyncio.sleep(0)
        return tasks

    async def make_room(self, room):
        """Return when everybody has gone on who can."""
        self.room += room
        self.waiters.admit(self.room)
        before = None
        while before != self.turns:
            before = self.turns
            await asyncio.sleep(0)
            await asyncio.sleep(0)


@pytest.fixture
async def crowd():
    crowd = Crowd()
    yield crowd
    for turn in crowd.waiters.line.values():
        turn.cancel()


async def test_with_room_nobody_waits():
    """It takes no turn of the loop."""
    crowd = Crowd(room=1)
    coroutine = crowd.come("one")
    with pytest.raises(StopIteration):
        coroutine.send(None)
    assert crowd.gone == ["one"]


async def test_in_their_order(crowd):
    """As many go on as there is room for."""
    await crowd.start(6)
    await crowd.make_room(2)
    assert crowd.gone == [0, 1]
    await crowd.make_room(3)
    assert crowd.gone == [0, 1, 2, 3, 4]


async def test_who_takes_no_room_lets_the_next_one_follow(crowd):
    """All of those go on when a single one is woken."""
    await crowd.start(50, takes=0)
    await crowd.make_room(1)
    assert crowd.gone == list(range(50))


async def test_nobody_is_woken_again_and_again(crowd):
    """However many wait, the work is that of those who go on."""
    await crowd.start(1000)
    crowd.turns = 0
    for _ in range(100):
        await crowd.make_room(10)
    assert crowd.gone == list(range(1000))
    assert crowd.turns < 3000


async def test_woken_too_late(crowd):
    """One whose room somebody else has taken meanwhile is still ahead of all others."""
    await crowd.start(3)
    crowd.room = 1
    crowd.waiters.admit(1)
    crowd.room -= 1
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert crowd.gone == []
    await crowd.make_room(2)
    assert crowd.gone == [0, 1]


@pytest.mark.parametrize("woken", [False, True])
async def test_cancelled(crowd, woken):
    """One that is cancelled leaves the line; if it was woken already, the next one goes on in its place."""
    tasks = await crowd.start(3)
    if woken:
        crowd.room = 1
        crowd.waiters.admit(1)
    tasks[0].cancel()
    if not woken:
        await asyncio.sleep(0)
        crowd.room = 1
        crowd.waiters.admit(1)
    async with asyncio.timeout(5):
        await asyncio.wait([tasks[0], tasks[1]])
    assert crowd.gone == [1]
    assert tasks[0].cancelled()
    assert len(crowd.waiters.line) == 1
