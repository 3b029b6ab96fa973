"""A broker of Redis hands over what arrives while its reader waits, each kind of connection and of server."""

from __future__ import annotations

import asyncio

import pytest

from socketio_cluster.manager.brokers.inbox import Inbox
from socketio_cluster.manager.brokers.redis_replies import RedisReplies
from socketio_cluster.manager.bus.broker import Prompt, Publication
from socketio_cluster.manager.native.library import READ, SORT, VARIABLE, load

there = pytest.mark.skipif(load(READ) is None or load(SORT) is None, reason="it is not compiled here")


@pytest.fixture
def in_python(monkeypatch):
    """The names of the functions in Python that have handled something, where C may stand before them."""
    names: set[str] = set()

    def watch(kind, name):
        function = getattr(kind, name)

        def watched(self, what):
            if what:  # A confirmation brings no deliveries.
                names.add(name)
            return function(self, what)

        monkeypatch.setattr(kind, name, watched)

    watch(RedisReplies, "data_received")
    watch(Inbox, "put")
    return names


@pytest.mark.parametrize("way", ["python", pytest.param("compiled", marks=there)])
@pytest.mark.parametrize("kind", ["redis", "redis-resp2", "redis-sentinel", "redis-cluster"])
async def test_handed_over(request, monkeypatch, connected, channels, in_python, kind, way):
    """It arrives in order, without a turn of the reader; after another broker too. C does all, or none."""
    monkeypatch.setenv(VARIABLE, "off" if way == "python" else "on")
    url = request.getfixturevalue(f"{kind.replace('-', '_')}_url")
    sender = await connected(url)
    for _ in range(2):
        broker, handed, all_there = await connected(url), [], asyncio.Event()

        def take(deliveries, handed=handed, all_there=all_there):
            handed.extend(delivery.payload for delivery in deliveries)
            if len(handed) == 3:
                all_there.set()

        assert isinstance(broker, Prompt)
        await broker.subscribe([channels.everyone])
        broker.hand_to(take)
        reading = asyncio.create_task(broker.receive())
        await asyncio.sleep(0)
        await sender.publish([Publication((channels.everyone,), payload) for payload in (b"1", b"", b"3")])
        await asyncio.wait_for(all_there.wait(), 5)
        assert handed == [b"1", b"", b"3"]
        assert not reading.done()
        await broker.close()
        await asyncio.gather(reading, return_exceptions=True)
    assert in_python == ({"data_received", "put"} if way == "python" else set())
