"""Connections that grow too old are let go, and come back."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest

from tests.cluster.served import Served
from tests.cluster.watched import crowd
from tests.harness import eventually
from tests.jsclient import js_driver

AGE = 3.0
SECONDS = 60
"""How long anything may take on a busy machine."""


@pytest.mark.parametrize("lane", ["on", "off"])
async def test_old_connections_are_let_go_and_come_back(lane, tmp_path):
    """Every kind of client is let go not long before --max-age, not all at once, and returns."""
    with Served(tmp_path, f"--max-age={AGE:g}", f"--lane={lane}") as served:
        async with js_driver() as driver:
            began = time.monotonic()
            clients = await crowd(driver, served.url, 24)
            await eventually(lambda: all(len(one.came) > 1 for one in clients), SECONDS)
            noted = served.noted()
    ends = [one.went[0][0] for one in clients]
    assert min(ends) - began > 0.8 * AGE
    assert max(ends) - min(ends) > 0.1 * AGE
    assert {reason for one in clients for _, reason in one.went[:1]} == {"transport close"}
    assert {noted[one.came[0][1]][1] for one in clients} == {"connection too old"}


async def test_websockets_of_old_connections_close_with_service_restart(tmp_path):
    """The close code is 1012, for Socket.IO's clients and for plain ones."""
    with Served(tmp_path, "--max-age=1") as served:
        async with aiohttp.ClientSession() as http:
            for path in ("/socket.io/?EIO=4&transport=websocket", "/plain"):
                async with asyncio.timeout(SECONDS), http.ws_connect(served.url + path) as socket:
                    async for _ in socket:
                        pass
                assert socket.close_code == 1012
