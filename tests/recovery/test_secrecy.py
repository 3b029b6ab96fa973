"""The pid, by which a client claims its session, is nobody's but the client's."""

from __future__ import annotations

import re

import pytest
from redis.asyncio import Redis

from socketio_cluster.cluster.metrics.clients import OUTCOMES, read_clients
from tests.harness import three_nodes
from tests.house.test_layout import ROOT
from tests.recovery.clients import came_back, fence, take
from tests.recovery.door import Door


async def everything_in(redis_url):
    """All keys and values of a Redis server, and its slow log, as text."""
    async with Redis.from_url(redis_url) as redis:
        found = []
        async for key in redis.scan_iter():
            kind = (await redis.type(key)).decode()
            read = {
                "string": lambda key: redis.get(key),
                "hash": lambda key: redis.hgetall(key),
                "zset": lambda key: redis.zrange(key, 0, -1, withscores=True),
                "list": lambda key: redis.lrange(key, 0, -1),
                "stream": lambda key: redis.xrange(key),
            }[kind]
            found.append((key, await read(key)))
        return repr(found)


@pytest.mark.parametrize("transports", [["websocket"], ["polling"]])
async def test_nobody_sees_it(redis_url, prefix, driver, caplog, transports):
    """Whatever happens to a session, its secret is in no log, no handler, no metric, and not on the bus."""
    for name in (None, "engineio.server", "socketio.server"):
        caplog.set_level("DEBUG", logger=name)
    seen = []

    def configure(node):
        def connect(sid, environ, auth):
            node._connect(sid, environ, auth)
            seen.append(repr((environ, auth)))

        node.sio.on("connect", connect)

    options = {"count": 2, "configure": configure, "recovery_seconds": 30}
    async with three_nodes(redis_url, prefix, **options) as (a, b):
        async with (
            Door(a) as door,
            driver.client(door, transports=transports, reconnection=True, auth={"token": "t"}) as client,
        ):
            assert await client.connects.get() is False
            sid = client.sid
            secret = a.manager.members.clients[sid].session.pid.removeprefix(sid)
            assert len(secret) >= 16
            for number, node in enumerate((b, a), 1):
                door.cut(node)
                await node.sio.emit("n", number, to=sid)
                assert await came_back(client) is True
                await take(client, "n", number)
            async with driver.client(
                b, transports=transports, auth={"pid": sid + "x" * len(secret)}
            ) as thief:
                assert await thief.connects.get() is False
            await fence(a, client)
            assert len(seen) == 4
            assert "'token': 't'" in seen[2]
            metrics = repr(read_clients([a.manager, b.manager]))
            for what in (caplog.text, repr(a.log + b.log), *seen, metrics):
                assert secret not in what
            assert '"pid"' in caplog.text or transports == ["websocket"]  # a lane logs no packets
            kept = await everything_in(redis_url)
            assert sid in kept
            assert secret not in kept
            assert "pid" not in "".join(seen)


async def test_a_stolen_pid_after_the_end(nodes, door, connect, driver):
    """With it one has the session, unless the connect handler refuses; with that of an ended one nothing."""
    a, b, _ = nodes
    client = await connect(reconnection=False)
    sid = client.sid
    pid = a.manager.members.clients[sid].session.pid
    async with driver.client(b, auth={"pid": pid}) as thief:
        await client.gone.wait()
        assert thief.sid == sid
        assert not a.manager.members.clients
    async with driver.client(b, auth={"pid": pid}) as late:  # the one before has said that it leaves
        assert late.sid != sid
        assert await late.connects.get() is False


def test_every_outcome_has_a_name():
    """The reasons that the code gives are the labels of the metric and stand on the page."""
    files = ("arrivals.py", "recovery.py", "sessions.py")
    code = "".join((ROOT / "manager/recovery" / name).read_text() for name in files)
    given = set(re.findall(r'return "(\w+)"', code)) | set(re.findall(r'recoveries\["(\w+)"\]', code))
    given |= set(re.findall(r'return "(\w+)" if', code))
    page = (ROOT / "docs/recovery.md").read_text().partition("## Not recovered")[2].partition("##")[0]
    assert given == set(OUTCOMES)
    assert set(re.findall(r"^\| `(\w+)`", page, re.MULTILINE)) == given - {"recovered"}
