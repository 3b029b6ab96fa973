"""The application of the emit port, called without a port: its bounds, and what a manager cannot take."""

from __future__ import annotations

import asyncio
import json
from collections import Counter

import pytest

from socketio_cluster.cluster.emit import app as emit_app
from socketio_cluster.cluster.emit.app import EmitApp
from socketio_cluster.cluster.emit.tokens import Tokens
from tests.harness import SECONDS, client, fence, three_nodes
from tests.services.redis import RedisServer

TOKEN = "a-token-for-the-tests-of-this-folder"


async def post(app, body):
    """The status and the JSON of an answer."""
    said = []
    headers = [(b"authorization", f"Bearer {TOKEN}".encode())]
    scope = {"type": "http", "method": "POST", "path": "/emit", "headers": headers}

    async def receive():
        return {"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}

    async def send(message):
        said.append(message)

    await app(scope, receive, send)
    return said[0]["status"], json.loads(said[1]["body"])


def make(manager):
    return EmitApp(lambda: manager, Tokens([TOKEN]), Counter())


async def test_nobody_to_emit_for():
    """An application without a manager is told, with a status that says: later."""
    assert await post(make(None), {"event": "a"}) == (503, {"error": "the application has no ClusterManager"})


async def test_too_many_at_once(monkeypatch):
    """One request more than may wait is refused before its body is read."""
    monkeypatch.setattr(emit_app, "AT_ONCE", 0)
    status, answer = await post(make(None), {"event": "a"})
    assert (status, "wait already: nothing was emitted" in answer["error"]) == (503, True)


async def test_all_or_none(local_url, prefix):
    """A batch of which the last event is too large for the buffer, or cannot be encoded, reaches nobody."""
    async with three_nodes(local_url, prefix, count=2, buffer_bytes=100_000) as nodes:
        async with client(nodes[0]) as one, client(nodes[1]) as other:
            app = make(nodes[0].manager)
            large = [{"event": "no"}, {"event": "no", "data": "x" * 200_000}]
            assert (await post(app, large))[0] == 413
            status, answer = await post(app, [{"event": "no"}, {"event": "disconnect"}])
            assert (status, answer["entry"], answer["field"]) == (400, 1, "event")
            batch = [
                {"event": "yes", "data": 1, "except": other.sid},
                {"event": "yes", "data": 2, "to": [one.sid, other.sid], "volatile": True},
                {"event": "yes", "args": [], "to": other.sid},
            ]
            assert await post(app, batch) == (200, {"emitted": 3})
            assert [await one.next("yes") for _ in range(2)] == [[1], [2]]
            assert [await other.next("yes") for _ in range(2)] == [[2], []]
            await fence(nodes[1], one, other)


async def test_alone(prefix):
    """A node without a bus emits to its own clients."""
    async with three_nodes(None, prefix, count=1, settled=False) as nodes, client(nodes[0]) as one:
        assert (await post(make(nodes[0].manager), {"event": "news", "data": 1}))[0] == 200
        assert await one.next("news") == [1]


@pytest.mark.parametrize("recovery", [None, 60], ids=["", "recovery"])
async def test_bus_away(monkeypatch, tmp_path, prefix, recovery):
    """While the bus is away nothing is said to be emitted, and nothing of it arrives when it is back."""
    monkeypatch.setattr(emit_app, "SECONDS", 0.5)
    with RedisServer(tmp_path) as redis:
        options = {"count": 2, "recovery_seconds": recovery}
        async with three_nodes(redis.url, prefix, **options) as nodes, client(nodes[0]) as one:
            async with client(nodes[1]) as other:
                app = make(nodes[0].manager)
                await asyncio.to_thread(redis.stop)
                status, answer = await post(app, [{"event": "lost"}, {"event": "lost"}])
                assert (status, answer["emitted"]) == (503, [])
                assert answer["not_emitted"] + answer["uncertain"] == [0, 1]
                assert (await post(app, {"event": "lost", "to": other.sid}))[0] == 503
                await asyncio.to_thread(redis.start)
                async with asyncio.timeout(SECONDS):
                    while (await post(app, {"event": "again"}))[0] != 200:
                        pass
                for each in (one, other):
                    assert await each.next("again") == []
                await fence(nodes[1], one, other)
