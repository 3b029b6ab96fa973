"""Many splits on a slow bus, in virtual time: whatever comes first, the last call for each key is true."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from socketio_cluster import AsyncServer, ClusterManager
from socketio_cluster.manager.bus import node
from socketio_cluster.manager.bus.presence_messages import Entry
from tests.presence.split import HEADER
from tests.presence.virtual import VirtualLoop

QUICK = {"heartbeat": 0.4, "dead_after": 2.0, "presence_grace": 1.5}
TEA = ("/", "tea")
SECONDS = 20
LONG = 15
"""More seconds than those after which calls of leaves are forgotten."""


class Member:
    """A node without a server, with one client that is present in a room as long as it has a key."""

    def __init__(self, name, random, delay, calls):
        self.manager = ClusterManager(f"memory://{name}", prefix="p", **QUICK)
        sio = AsyncServer(async_mode="asgi", client_manager=self.manager)
        sio.presence.on_join(lambda room, key, meta: calls.append((key, "join")))
        sio.presence.on_leave(lambda room, key, meta: calls.append((key, "leave")))
        self.friends = None
        self._random = random
        self._delay = delay
        self._free_at = 0.0
        self._hear = self.manager.node.receiver.arrived
        self.manager.node.receiver.arrived = self._arrived

    def _arrived(self, deliveries):
        loop = asyncio.get_running_loop()
        slow = 5 if self._random.random() < 0.1 else 1
        self._free_at = max(self._free_at + 1e-6, loop.time() + slow * self._random.random() * self._delay)
        loop.call_at(self._free_at, self._handle, deliveries)

    def _handle(self, deliveries):
        friends = self.friends
        if friends is not None:
            deliveries = [each for each in deliveries if HEADER(each.payload).origin in friends]
        self._hear(deliveries)

    async def close(self):
        await self.manager.close()
        self.friends = ()

    async def start(self):
        await self.manager.start()
        await self.manager.node.subscribe(self.manager.node.channels.room(*TEA))

    def watch(self):
        self.manager.present.hold(TEA).watchers.add("client")

    def track(self, key, sid="client"):
        self.watch()
        self.manager.present.hold(TEA).own.put(Entry(sid, key, b"{}"))

    def untrack(self):
        self.manager.present.hold(TEA).own.remove("client")

    @property
    def keys(self):
        room = self.manager.present.held.get(TEA)
        return set() if room is None else set(room.book.keys)


async def until(predicate):
    loop = asyncio.get_running_loop()
    end = loop.time() + SECONDS
    while not predicate():
        assert loop.time() < end, predicate
        await asyncio.sleep(0.005)


async def knows(members, *keys):
    await until(lambda: all(member.keys == set(keys) for member in members))


async def meet(members, count):
    await until(lambda: all(len(member.manager.nodes()) == count for member in members))


def split(*halves):
    for half in halves:
        for member in half:
            member.friends = {friend.manager.node_id for friend in half}


async def split_and_heal(name, random, delay):
    """As ``test_split`` does, at any moment."""
    calls = []
    members = [Member(name, random, delay, calls) for _ in range(4)]
    async with contextlib.AsyncExitStack() as stack:
        for member in members:
            stack.push_async_callback(member.close)
            await member.start()
        await meet(members, 4)
        for member, key in zip(members, ("ada", "bob", "cyd", "dan"), strict=True):
            member.track(key)
        await knows(members, "ada", "bob", "cyd", "dan")
        await until(lambda: len(calls) == 4)
        await asyncio.sleep(random.random())
        split(members[:2], members[2:])
        await meet(members, 2)
        await knows(members[:2], "ada", "bob")
        await knows(members[2:], "cyd", "dan")
        members[1].untrack()
        members[2].track("eve")
        await knows(members[:2], "ada")
        await knows(members[2:], "eve", "dan")
        await asyncio.sleep(random.choice([0, 3 * random.random()]))
        split(members)
        await meet(members, 4)
        await knows(members, "ada", "dan", "eve")
        there = dict.fromkeys(("ada", "dan", "eve"), "join")
        await until(lambda: dict(calls) == {**there, "bob": "leave", "cyd": "leave"})


async def split_start_and_heal(name, random, delay):
    """A node starts in one half, and does not know the other; the key ``bob`` has a client in each half."""
    calls = []
    members = [Member(name, random, delay, calls) for _ in range(5)]
    first, second, third, fourth, late = members
    async with contextlib.AsyncExitStack() as stack:
        for member in members:
            stack.push_async_callback(member.close)
        for member in members[:4]:
            await member.start()
        await meet(members[:4], 4)
        for member, key in zip(members[:4], ("ada", "bob", "cyd", "dan"), strict=True):
            member.track(key)
        fourth.track("bob", "another")
        await knows(members[:4], "ada", "bob", "cyd", "dan")
        await until(lambda: len(calls) == 4)
        await asyncio.sleep(random.random())
        split([first, second, late], [third, fourth])
        if random.random() < 0.5:
            await meet(members[:4], 2)
            await asyncio.sleep(random.choice([0, LONG * random.random()]))
        await late.start()
        late.watch()
        await meet([first, second, late], 3)
        await meet([third, fourth], 2)
        await knows([first, second, late], "ada", "bob")
        await knows([third, fourth], "cyd", "dan", "bob")
        await asyncio.sleep(random.choice([0, LONG * random.random()]))
        second.untrack()
        third.untrack()
        await knows([first, second, late], "ada")
        await knows([third, fourth], "dan", "bob")
        await asyncio.sleep(random.choice([1, LONG, 2 * LONG]) * random.random())
        split(members)
        await meet(members, 5)
        await knows(members, "ada", "dan", "bob")
        await until(lambda: dict(calls) == {**dict.fromkeys(("ada", "dan", "bob"), "join"), "cyd": "leave"})


@pytest.mark.parametrize("run", [split_and_heal, split_start_and_heal])
@pytest.mark.parametrize(("delay", "stall"), [(0.01, 0.0), (0.02, 0.05), (0.1, 0.1), (0.05, 0.3)])
def test_many_splits(delay, stall, run, monkeypatch):
    """The bus takes a while, and the machine has much to do."""
    for seed in range(20):
        with monkeypatch.context() as patch:
            loop = VirtualLoop(patch, seed, stall)
            patch.setattr(node, "new_node_id", lambda chance=loop.random: f"{chance.randrange(10**8):08}")
            try:
                loop.run_until_complete(run(f"{seed}", loop.random, delay))
                assert not asyncio.all_tasks(loop)
            finally:
                loop.close()
