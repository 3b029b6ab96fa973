"""Nodes that are held up at one step while a client comes or goes, and one that tells when it looks again."""

from __future__ import annotations

import asyncio
from itertools import count


def slow_claims(node, monkeypatch):
    """Hold up a node when it has claimed a session; return events: it has, and it may go on."""
    keeper = node.manager.recovery.keeper
    claim, claimed, go_on = keeper.claim, asyncio.Event(), asyncio.Event()

    async def slow(question):
        answer = await claim(question)
        claimed.set()
        await go_on.wait()
        return answer

    monkeypatch.setattr(keeper, "claim", slow)
    return claimed, go_on


def slow_releases(node, monkeypatch):
    """Hold up a node when it is about to tell the bus that a client is away; return the event: it may."""
    keeper = node.manager.recovery.keeper
    release, go_on = keeper.release, asyncio.Event()

    async def slow(question):
        await go_on.wait()
        return await release(question)

    monkeypatch.setattr(keeper, "release", slow)
    return go_on


def slow_change(node, monkeypatch):
    """Hold up the first change of a session by a node; return events: it comes, and it may go on."""
    keeper = node.manager.recovery.keeper
    change, comes, go_on = keeper.change, asyncio.Event(), asyncio.Event()

    async def slow(question):
        monkeypatch.setattr(keeper, "change", change)
        comes.set()
        await go_on.wait()
        return await change(question)

    monkeypatch.setattr(keeper, "change", slow)
    return comes, go_on


def slow_order(node, monkeypatch):
    """Hold up a node as it waits for its own events; return events: it waits, and it may go on."""
    waits, go_on = asyncio.Event(), asyncio.Event()

    async def slow():
        waits.set()
        await go_on.wait()

    monkeypatch.setattr(node.manager.recovery, "in_order", slow)
    return waits, go_on


def looks_again(node, monkeypatch):
    """Return an event: a call on a node has not found a client where the bus says it is, and looks again."""
    keeper = node.manager.recovery.keeper
    where, looks, again = keeper.where, count(), asyncio.Event()

    async def noticed(sid, namespace):
        if next(looks) > 0:
            again.set()
        return await where(sid, namespace)

    monkeypatch.setattr(keeper, "where", noticed)
    return again
