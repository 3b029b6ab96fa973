"""Numbered events of several nodes to everybody, and whether each client has had all of them."""

from __future__ import annotations

import asyncio


async def emit_until(stop, node, name):
    """Emit numbers to everybody without a pause. Returns how many."""
    number = 0
    while not stop.is_set():
        await node.sio.emit(name, number)
        number += 1
        await asyncio.sleep(0.002)
    return number


async def expect_all(one, totals):
    """Check that a client gets so many numbers of ``from0``, ``from1`` and so on, each once and in order."""
    due = [0] * len(totals)
    while due != totals:
        event, (number,) = await asyncio.wait_for(one.events.get(), 30)
        sender = int(event.removeprefix("from"))
        assert number == due[sender], f"{event}: {due[sender]} was due, {number} came"
        due[sender] += 1
