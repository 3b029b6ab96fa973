"""Nodes of the last release and of the present one are one cluster, all through a rolling update and back."""

from __future__ import annotations

import asyncio
from itertools import permutations

import pytest
import socketio

from tests.harness import eventually
from tests.releases.releases import LastNode, PresentNode

SECONDS = 20
OPTIONS = {"heartbeat": 1}
PAUSE = 0.004
"""Seconds between two events of a stream."""


class Client:
    """A client that notes the numbers of every stream, and answers all else with its arguments."""

    def __init__(self):
        self.sio = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        self.events = asyncio.Queue()
        self.ledger = {}
        self.sio.on("tick", lambda node, number: self.ledger.setdefault(node, []).append(number))
        self.sio.on("*", self._event)

    async def _event(self, event, *args):
        self.events.put_nowait((event, *args))
        return args

    async def call(self, event, *args):
        return await self.sio.call(event, args, timeout=SECONDS)

    async def next(self):
        return await asyncio.wait_for(self.events.get(), SECONDS)

    @property
    def sid(self):
        return self.sio.get_sid()


class Rolling:
    """The nodes of a rolling update. Each has a client, and emits a stream of numbers to everybody."""

    def __init__(self):
        self.clients = {}
        self.all_clients = []
        self.ended = {}

    async def add(self, node):
        """Start a node, and its stream when all know each other. Returns the node."""
        await node.start()
        client = self.clients[node] = Client()
        self.all_clients.append(client)
        await client.sio.connect(node.url, transports=["websocket"])
        there = {each.id for each in self.clients}
        async with asyncio.timeout(SECONDS):
            while not all([there <= set(await each.nodes()) for each in self.clients]):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        await client.call("stream", PAUSE)
        return node

    async def remove(self, node):
        """End a stream, wait until every client has the end of it, and stop the node."""
        count = self.ended[node.id] = await self.clients[node].call("end")
        await eventually(lambda: all(each.ledger[node.id][-1] == count for each in self.clients.values()))
        refused, lost = await node.trouble()
        assert (refused, lost) == ({}, 0)
        client = self.clients.pop(node)
        await client.sio.disconnect()
        await node.stop()

    async def ask_each_other(self):
        """Each node emits, asks, and puts clients into rooms, on every other node."""
        for one, other in permutations(self.clients, 2):
            asker, client, room = self.clients[one], self.clients[other], f"{one.id}-{other.id}"
            await asker.call("emit", "direct", [1, "ü"], {"to": client.sid})
            assert await client.next() == ("direct", [1, "ü"])
            assert await asker.call("call", "question", {"a": b"\0"}, client.sid) == {"a": b"\0"}
            assert await client.next() == ("question", {"a": b"\0"})
            await asker.call("enter_room", client.sid, room)
            await asker.call("emit", "inside", room, {"room": [room, "nobody"], "skip_sid": asker.sid})
            assert await client.next() == ("inside", room)
            await asker.call("emit", "outside", room, {"except_": room})
            assert await asker.next() == ("outside", room)
            assert [await each.call("count", room) for each in (asker, client)] == [1, 1]
            await asker.call("close_room", room)
            assert await client.call("count", room) == 0
            for rest in set(self.clients.values()) - {asker, client}:
                assert await rest.next() == ("outside", room)
        assert all(client.events.empty() for client in self.clients.values())

    def check_ledgers(self):
        """Check that every stream came to every client once and in order, from where the client came."""
        for client in self.all_clients:
            for numbers in client.ledger.values():
                assert numbers == list(range(numbers[0], numbers[-1] + 1))
        for node, count in self.ended.items():
            whole = [
                client for client in self.all_clients if client.ledger.get(node) == list(range(1, count + 1))
            ]
            assert whole, "nobody was there all the time"


@pytest.mark.parametrize("bus", ["local", "redis", "amqp", "nats"])
async def test_rolling_update(bus, request, last_host, prefix):
    """Two old nodes are replaced by new ones, and these by an old one again, and nothing is lost."""
    url = request.getfixturevalue(f"{bus}_url")
    rolling = Rolling()
    first, second = [await rolling.add(LastNode(last_host, url, prefix, **OPTIONS)) for _ in range(2)]
    third = await rolling.add(PresentNode(url, prefix, **OPTIONS))
    await rolling.ask_each_other()
    await rolling.remove(first)
    fourth = await rolling.add(PresentNode(url, prefix, **OPTIONS))
    await rolling.remove(second)
    fifth = await rolling.add(LastNode(last_host, url, prefix, **OPTIONS))
    await rolling.remove(third)
    await rolling.ask_each_other()
    await rolling.remove(fourth)
    await rolling.remove(fifth)
    rolling.check_ledgers()
