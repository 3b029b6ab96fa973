"""Under ``serve``, with all that can be logged: the pid is in no line, on no page, and in nobody's event."""

from __future__ import annotations

import asyncio
import re

from tests.cluster.served import Served, request
from tests.cluster.watched import TRANSPORTS
from tests.recovery.clients import SOON, came_back, take
from tests.recovery.door import Door
from tests.recovery.plain_clients import plain_client
from tests.recovery.python_clients import own_client

APP = "tests.recovery.app:with_plain"


async def traffic(driver, door, transports, secrets):
    """Let a client come, be cut off and come back; keep the secret that only it may know."""
    async with driver.client(door, transports=transports, reconnection=True, **SOON) as client:
        assert await client.connects.get() is False
        secrets.append(client.pid.removeprefix(client.sid))
        await client.call("join", "red")
        client.drop()
        assert await came_back(client) is True
        await client.call("tell", "red", client.sid)
        await take(client, "told", client.sid)


async def test_nobody_sees_it(redis_url, prefix, driver, tmp_path):
    """Clients of all kinds come, come back and are heard by another one, and their secrets stay theirs."""
    options = (
        f"--bus={redis_url}",
        f"--prefix={prefix}",
        "--recovery-seconds=60",
        "--log-level=debug",
        "--access-log",
    )
    secrets = []
    with Served(tmp_path, *options, app=APP, env={"TEST_LOUD": "1"}) as served:
        async with Door(served) as door, driver.client(served) as listener:
            await listener.call("join", "red")
            for transports in TRANSPORTS:
                await traffic(driver, door, transports, secrets)
            async with own_client("AsyncClient", door) as own, plain_client(door) as plain:
                secrets += [own.pid.removeprefix(own.sid), plain.token.removeprefix(plain.sid)]
                door.cut(served)
                await plain.cut()
                assert await plain.open() is True
                assert await own.came_back() is True
            heard = [await listener.next_any() for _ in TRANSPORTS]
            page = (await request(served.probes + "/metrics"))[2]
    assert len({secret for secret in secrets if len(secret) >= 16}) == len(TRANSPORTS) + 2
    assert re.search(r'socketio_recoveries_total{.*outcome="recovered"} [1-9]', page)
    logged = await asyncio.to_thread("\n".join, served.lines)
    assert logged.count('"pid"') >= 2  # packets are logged
    for secret in secrets:
        assert secret not in logged + page + repr(heard)
