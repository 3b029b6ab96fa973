"""Two hundred JavaScript clients through each balancer, over three nodes."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from pathlib import Path

import aiohttp
import pytest

from tests.balancers.proxies import PROXIES
from tests.cluster.command import wait_until
from tests.forward.nodes import one_machine
from tests.forward.poller import Poller
from tests.jsclient import install
from tests.services.process import program

CLIENTS, ROOM, EACH = 200, 5, 3
"""Clients at a time, clients in a room, messages that each says there."""
PASSED_ON = re.compile(r"(poll|post|websocket) for node \S+: (\w+)")


@pytest.fixture(scope="module")
def nodes():
    """Three workers, each with a port of its own."""
    with one_machine() as three:
        yield three


def crowd(url: str) -> dict:
    """The report of as many clients of all kinds: polling only, with upgrade, WebSocket only."""
    install()
    what = {"url": url, "clients": CLIENTS, "room": ROOM, "each": EACH, "seconds": 12}
    script = str(Path(__file__).with_name("crowd.js"))
    command = [program("node", package="nodejs"), script, json.dumps(what)]
    return json.loads(subprocess.run(command, capture_output=True, check=True, timeout=30).stdout)


@pytest.mark.parametrize("proxy", PROXIES, ids=str)
def test_crowd_sees_no_error(proxy, nodes, tmp_path):
    """No request fails, no message is lost or repeated; with stickiness nodes pass on nothing, else a lot."""
    before = len(PASSED_ON.findall(nodes.log))
    with proxy.running(nodes.urls, tmp_path) as url:
        report = crowd(url)
    served = report.pop("nodes")
    upgrades = sum(number % 3 == 1 for number in range(CLIENTS))
    assert report == {
        "connected": CLIENTS,
        "upgraded": upgrades,
        "said": CLIENTS * EACH,
        "heard": CLIENTS * ROOM * EACH,
        "repeated": 0,
        "errors": [],
    }
    assert len(served) == 3
    assert min(served.values()) > CLIENTS / 10
    passed_on = PASSED_ON.findall(nodes.log)[before:]
    assert (len(passed_on) == 0) if proxy.sticky else (len(passed_on) > CLIENTS / 2), len(passed_on)
    assert {outcome for _, outcome in passed_on} <= {"ok", "left"}


@pytest.mark.parametrize("proxy", PROXIES, ids=str)
async def test_client_that_gives_up_its_poll_is_noticed(proxy, nodes, tmp_path):
    """When a client goes away while its poll waits, its node ends the session within five seconds."""
    with proxy.running(nodes.urls, tmp_path) as url:
        async with aiohttp.ClientSession() as http:
            client = await Poller(http, [url]).open()
            owner = nodes.owner(client.sid)
            before = owner.sessions
            poll = asyncio.create_task(client.request("GET"))
            await owner.is_polled(client.sid)
            poll.cancel()
            await asyncio.gather(poll, return_exceptions=True)
        await asyncio.to_thread(wait_until, lambda: owner.sessions < before, seconds=5)
