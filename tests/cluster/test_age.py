"""Connections that grow too old are let go, and come back."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from tests.cluster.served import Served
from tests.cluster.watched import crowd
from tests.harness import eventually
from tests.jsclient import js_driver

AGE = 3.0

pytestmark = pytest.mark.alone


@pytest.mark.parametrize("lane", ["on", "off"])
async def test_old_connections_are_let_go_and_come_back(lane, tmp_path):
    """Every kind of client is let go at --max-age, give or take a fifth, not all at once, and returns."""
    with Served(tmp_path, f"--max-age={AGE:g}", f"--lane={lane}") as served:
        async with js_driver() as driver:
            clients = await crowd(driver, served.url, 24)
            await eventually(lambda: all(len(one.came) > 1 for one in clients), 3 * AGE)
            noted = served.noted()
    ages = [one.went[0][0] - one.came[0][0] for one in clients]
    # An upgrade or a first poll comes a little after the session began; a look at the clock every 0.25 s.
    assert all(0.8 * AGE - 1 < age < 1.2 * AGE + 1 for age in ages), ages
    assert max(ages) - min(ages) > 0.1 * AGE
    assert {reason for one in clients for _, reason in one.went[:1]} == {"transport close"}
    assert {noted[one.came[0][1]][1] for one in clients} == {"connection too old"}


async def test_websockets_of_old_connections_close_with_service_restart(tmp_path):
    """The close code is 1012, for Socket.IO's clients and for plain ones."""
    with Served(tmp_path, "--max-age=1") as served:
        async with aiohttp.ClientSession() as http:
            for path in ("/socket.io/?EIO=4&transport=websocket", "/plain"):
                async with asyncio.timeout(5), http.ws_connect(served.url + path) as socket:
                    async for _ in socket:
                        pass
                assert socket.close_code == 1012
