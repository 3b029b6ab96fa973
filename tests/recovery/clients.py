"""What the tests of recovery do with clients."""

from __future__ import annotations

import asyncio

from tests.harness import SECONDS, eventually

SOON = {"reconnectionDelay": 50, "reconnectionDelayMax": 200, "randomizationFactor": 0}
"""Options of a client that tries to come back more often than it would by default."""


async def came_back(client):
    """Whether the client was recovered, when it has connected again."""
    return await asyncio.wait_for(client.connects.get(), SECONDS)


def strip(args):
    """The arguments of an event without the offset."""
    assert isinstance(args[-1], str)
    return args[:-1]


async def take(client, event, *args):
    """Take the client's next event, which must be this one with an offset."""
    assert strip(await client.next(event)) == list(args)


async def left(node, sid, namespace="/"):
    """Return when a node has noticed that a client has gone."""
    await eventually(lambda: node.manager.members.find(sid, namespace) is None)


async def fence(node, *clients):
    """Check that these clients get nothing more than they took."""
    for client in clients:
        await node.sio.emit("fence", to=client.sid)
        await take(client, "fence")
        assert client.events.empty()


async def renew(node):
    """Let a node renew the sessions of its clients, as if they had been connected for long."""
    recovery = node.manager.recovery
    place = await recovery.keeper.place()
    await recovery._leases._renew_all(place.last, place.floor)
