"""When a node that has joined the bus knows all others."""

from __future__ import annotations

import asyncio

from socketio_cluster.manager.bus.introduction import Introduction


class Link:
    """A link that is up, or is not."""

    def __init__(self, up=True):
        self.up = asyncio.Event()
        if up:
            self.up.set()

    async def wait_up(self):
        await self.up.wait()


def joined(heartbeat=2.0, deaf_after=5.0):
    introduction = Introduction(heartbeat, deaf_after)
    introduction.joined(now=100.0)
    return introduction


async def over(introduction, link=None):
    return await introduction.wait(link or Link(), 0.01)


async def test_own_beat_has_come_back():
    """It is over when what this node has said after one heartbeat has come back, and not before."""
    introduction = joined(deaf_after=-1.9)  # this waits hardly longer than for the bus
    introduction.said(now=100.0, stamp=1.0)
    introduction.heard(1.0)
    assert not await over(introduction)
    introduction.said(now=102.0, stamp=3.0)
    introduction.said(now=104.0, stamp=5.0)
    introduction.heard(2.0)
    assert not await over(introduction)
    introduction.heard(3.0)
    assert await over(introduction)


async def test_short_heartbeats():
    """It takes no less than the time within which a node answers a hello."""
    introduction = joined(heartbeat=0.1, deaf_after=-0.9)
    introduction.said(now=100.9, stamp=1.0)
    introduction.heard(1.0)
    assert not await over(introduction)


async def test_cut_off():
    """After the bus was lost it begins anew."""
    introduction = joined(deaf_after=-1.9)
    introduction.said(now=102.0, stamp=3.0)
    introduction.heard(3.0)
    introduction.parted()
    assert not await over(introduction, Link(up=False))
    introduction.joined(now=200.0)
    introduction.heard(4.0)
    assert not await over(introduction)
    introduction.said(now=202.0, stamp=5.0)
    introduction.heard(5.0)
    assert await over(introduction)
