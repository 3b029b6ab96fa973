"""Recorded events and their copies for bridges: a batch of both takes as few script calls as one without."""

from __future__ import annotations

import pytest

from socketio_cluster.manager.brokers.redis_commands import recording_commands, recording_owners
from socketio_cluster.manager.bus.broker import Publication
from socketio_cluster.manager.bus.channels import Channels
from socketio_cluster.manager.bus.envelope import Codec, Header
from socketio_cluster.manager.bus.messages import Gone
from socketio_cluster.manager.bus.stamp import read_stamp
from socketio_cluster.manager.bus.store import Begin, cluster_of
from tests.contract.conftest import collect

NAMES = Channels("x")
ROOM = NAMES.room("/", "red")
NEAR = NAMES.room("/", "}:bridges")
"""A room whose channel ends like that of bridges."""
BRIDGES = NAMES.bridges_beside(ROOM)


def envelope(number):
    return Codec("x").pack(Header("nodenode", number, 0.0), Gone(number))


def batch(*kinds, room=ROOM, bridges=BRIDGES):
    """Publications with the numbers 1, 2, …: ``r`` is recorded, ``b`` for bridges, ``o`` another one."""
    channels = {"r": (room,), "b": (bridges,), "o": (NEAR,), "m": (room, bridges)}
    return [
        Publication(channels[kind], envelope(number), (room,) if kind == "r" else ())
        for number, kind in enumerate(kinds, 1)
    ]


@pytest.mark.parametrize(
    ("kinds", "owners"),
    [
        ("rbrb", [[0, 2], [1], [3]]),
        ("brbr", [[1, 3], [0], [2]]),
        ("rborb", [[0], [1], [2], [3], [4]]),
        ("rmr", [[0], [1], [1], [2]]),
        ("bb", [[0], [1]]),
        ("r" * 150 + "b", [[*range(100)], [*range(100, 150)], [150]]),
        ("", []),
    ],
)
def test_what_goes_together(kinds, owners):
    """Copies for bridges fall behind the events beside them, and pass nothing else."""
    assert recording_owners(batch(*kinds)) == owners
    assert len(recording_commands(batch(*kinds), b"PUBLISH")) == len(owners)


async def test_both_keep_their_order(redis_server, connected, channels):
    """The events come in their order, and so do the copies."""
    writer, reader = [await connected(redis_server.url) for _ in range(2)]
    await writer.ask(cluster_of(channels.everyone), Begin(60.0, 1_000_000))
    room = channels.room("/", "red")
    bridges = channels.bridges_beside(room)
    await reader.subscribe([room, bridges])
    await writer.publish(batch(*"rb" * 20, room=room, bridges=bridges))
    found = await collect(reader, 40)
    events = [read_stamp(each.payload)[2] for each in found if each.channel == room]
    copies = [each.payload for each in found if each.channel == bridges]
    assert events == [envelope(number) for number in range(1, 41, 2)]
    assert copies == [envelope(number) for number in range(2, 41, 2)]
