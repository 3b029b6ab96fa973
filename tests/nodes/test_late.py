"""A node that reads more slowly than another one emits: emits wait, and nothing is lost."""

from __future__ import annotations

import asyncio

import pytest

from socketio_cluster.manager.bus.broker import Prompt
from socketio_cluster.manager.bus.window import Window
from tests.harness import eventually

COUNT, EMITTERS = 6000, 32
SECONDS = 0.03


class Tardy:
    """Passes on what comes from the bus 30 to 60 ms later, very many at once."""

    def __init__(self, node):
        self._take = node.manager.node.receiver.arrived
        self._older, self._newer = [], []
        node.manager.node.receiver.arrived = self
        broker = node.manager.node.link._broker
        if isinstance(broker, Prompt):
            broker.hand_to(self)

    def __call__(self, deliveries):
        if not self._newer and not self._older:
            asyncio.get_running_loop().call_later(SECONDS, self._pass_on)
        self._newer += deliveries

    def _pass_on(self):
        self._take(self._older)
        self._older, self._newer = self._newer, []
        if self._older:
            asyncio.get_running_loop().call_later(SECONDS, self._pass_on)


@pytest.fixture
def rests(monkeypatch):
    """For how many seconds emits had to wait because another node was late."""
    rests, shut = [], Window.shut

    def noted(window, late, now):
        rests.append(shut(window, late, now))
        return rests[-1]

    monkeypatch.setattr(Window, "shut", noted)
    return rests


async def test_emits_wait(nodes, connect, rests):
    """Each event comes, in order, and emits wait no more when it is over."""
    fast, slow, _ = nodes
    one = await connect(slow)
    await slow.sio.enter_room(one.sid, "room")
    Tardy(slow)

    async def emit(first):
        for number in range(first, COUNT, EMITTERS):
            await fast.sio.emit("n", number, room="room")
            await asyncio.sleep(0)

    await asyncio.gather(*(emit(first) for first in range(EMITTERS)))
    seen = [(await one.next("n"))[0] for _ in range(COUNT)]
    for first in range(EMITTERS):
        assert [number for number in seen if number % EMITTERS == first] == [*range(first, COUNT, EMITTERS)]
    await eventually(lambda: slow.manager.stats.published["Late"] == len(rests))
    assert any(rests)
    await eventually(lambda: fast.manager.node.link._outgoing.window.size > 0)
    assert not fast.manager.stats.dropped


async def test_a_node_that_stands_still(nodes, connect, rests):
    """It says nothing, so nobody waits for it."""
    fast, slow, _ = nodes
    one = await connect(slow)
    await slow.sio.enter_room(one.sid, "room")
    held = []
    Tardy(slow)._take = held.extend
    for number in range(1000):
        await fast.sio.emit("n", number, room="room")
    await eventually(lambda: len(held) >= 1000)
    assert not rests
