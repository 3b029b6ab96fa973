"""Nodes on several machines: wrong clocks, forwarding, a cable that is pulled out, a paused machine."""

from __future__ import annotations

import asyncio
import contextlib

import aiohttp
import pytest

from tests.cluster.command import wait_until
from tests.forward.poller import Poller
from tests.harness import client
from tests.machines.conftest import HOUR

WAIT = 60
"""Seconds. TCP sends again after ever longer pauses when a cable was out, and a machine may be busy."""

PAUSE = 30
"""Seconds for which a machine stands still."""


@pytest.fixture
async def clients(three):
    """A client at each machine, all in one room."""
    async with contextlib.AsyncExitStack() as stack:
        found = [await stack.enter_async_context(client(served)) for served in three]
        for one in found:
            assert await one.call("join", "red") == ["red"]
        yield found


async def say(one, first, last):
    """Say numbers to the room of all, with a pause between two."""
    for number in range(first, last):
        await one.emit("say", "red", number)
        await asyncio.sleep(0.05)


async def hears(one, first, last):
    """Take these numbers, in order."""
    for number in range(first, last):
        assert await one.next("said", WAIT) == [["red", number]]


async def keep_busy(one, seconds):
    """Send something now and then, as a client of python-engineio leaves when it sends nothing for 30 s."""
    for _ in range(seconds // 5):
        await one.emit("echo", "x")
        await asyncio.sleep(5)


async def test_clocks_an_hour_apart(clients):
    """The clocks differ by an hour, and what each node emits reaches every client once, in order."""
    times = [(await one.call("clock"))[0] for one in clients]
    assert [round((each - times[0]) / HOUR) for each in times] == [0, 1, 0]
    for speaker in clients:
        await say(speaker, 0, 20)
        for one in clients:
            await hears(one, 0, 20)


async def test_any_machine_answers(three):
    """A polling client's requests go to each machine in turn, which passes them on to the right one."""
    async with aiohttp.ClientSession() as http:
        for at in range(3):
            urls = [served.url for served in three[at:] + three[:at]]
            poller = await Poller(http, urls).open()
            for number in range(6):
                assert await poller.call("echo", number) == [number]
            assert poller.requests > 12


async def test_a_cable_is_pulled_out(three, clients):
    """A machine without a network for 5 s, whose connections never end, gets and gives all that was said."""
    near, far, _ = clients
    three[1].machine.unplug()
    try:
        await asyncio.gather(say(near, 0, 100), asyncio.sleep(5))
    finally:
        three[1].machine.plug()
    for one in clients:
        await hears(one, 0, 100)
    await say(far, 100, 120)
    for one in clients:
        await hears(one, 100, 120)


async def test_a_machine_stands_still(three, clients):
    """A machine that is paused for 30 s, so that the others take it for dead, hears all that was said when it
    goes on, and is a node again. Its clients stay connected.
    """
    near, far, _ = clients
    lines = three[0].command.lines
    seen = len(lines)
    three[1].machine.pause()
    try:
        await asyncio.gather(say(near, 0, 400), keep_busy(far, PAUSE))
        assert any("is dead" in line for line in lines[seen:])
    finally:
        three[1].machine.resume()
    for one in clients:
        await hears(one, 0, 400)
    await say(far, 400, 420)
    for one in clients:
        await hears(one, 400, 420)
    await asyncio.to_thread(wait_until, lambda: any("is here" in line for line in lines[seen:]), seconds=WAIT)
