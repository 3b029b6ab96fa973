"""Every server of loadtest/targets answers as docs/loadtest-protocol.md says."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time

import pytest

from socketio_cluster.loadtest.compare.contenders import CONTENDERS
from socketio_cluster.loadtest.compare.nodes import Nodes
from tests.harness import PythonClient, Refused
from tests.loadtest.command import ROOT

DATA = {"t": 1.5, "seq": 0, "src": "one", "pad": "xxx"}


SERVERS = [("ours", "redis"), ("stock", "redis"), ("stock", "rabbitmq"), ("node", "redis")]


@pytest.fixture(scope="module", params=SERVERS, ids="-".join)
def nodes(request, tmp_path_factory):
    """Two nodes of one server, which want a token."""
    name, bus = request.param
    url = request.getfixturevalue(f"{bus}_server").url
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOADTEST_TOKEN", "secret")
        contender = CONTENDERS[name]
        contender.prepare(url)
        with Nodes(contender, 2, url, tmp_path_factory.mktemp("targets")) as running:
            running.kind = contender.name
            yield running


@contextlib.asynccontextmanager
async def client(url, namespace="/", token="secret"):
    """A connected client and what its welcome said."""
    one = PythonClient("default", namespace, reply=True)
    try:
        await one.open(url, ["websocket"], {"token": token})
        (welcome,) = await one.next("welcome")
        yield one, welcome
    finally:
        await one.disconnect()


async def test_the_welcome_names_client_node_and_server(nodes):
    """The first event says which sid, which node and which server one has, and the nodes differ."""
    async with client(nodes.urls[0]) as (one, here), client(nodes.urls[1]) as (_, there):
        assert here["sid"] == one.sid
        assert here["server"] == there["server"] == nodes.kind
        assert here["node"] != there["node"]


async def test_a_wrong_token_is_refused(nodes):
    """With LOADTEST_TOKEN set, a client with another token is refused."""
    with pytest.raises(Refused):
        async with client(nodes.urls[0], token="guess"):
            pass


async def test_clock_and_echo_are_answered(nodes):
    """The clock is the server's wall clock in seconds, an echo is what was sent."""
    async with client(nodes.urls[0]) as (one, _):
        (seconds,) = await one.call("clock")
        assert abs(seconds - time.time()) < 1
        assert await one.call("echo", DATA) == [DATA]


@pytest.mark.parametrize("namespace", ["/", "/other"])
async def test_a_room_hears_across_nodes(nodes, namespace):
    """Members of a room on both nodes get what is said to it; who has left, and the skipped one, do not."""
    async with client(nodes.urls[0], namespace) as (one, _), client(nodes.urls[1], namespace) as (two, _):
        for member in (one, two):
            assert await member.call("join", "room") == [True]
        assert await one.call("say", {"room": "room", "skip": False, "data": DATA}) == [True]
        assert await one.next("said") == await two.next("said") == [DATA]
        marks = [{**DATA, "seq": number} for number in (1, 2, 3)]
        assert await one.call("say", {"room": "room", "skip": True, "data": marks[0]}) == [True]
        assert await two.next("said") == [marks[0]]
        assert await two.call("leave", "room") == [True]
        assert await one.call("say", {"room": "room", "skip": False, "data": marks[1]}) == [True]
        assert await one.call("say", {"room": None, "skip": False, "data": marks[2]}) == [True]
        assert [await one.next("said"), await one.next("said")] == [[marks[1]], [marks[2]]]
        assert await two.next("said") == [marks[2]]


async def test_one_client_is_told_across_nodes(nodes):
    """What is told to a sid reaches that client on the other node and nobody else."""
    async with client(nodes.urls[0]) as (one, _), client(nodes.urls[1]) as (two, there):
        assert await one.call("tell", {"to": there["sid"], "data": DATA}) == [True]
        assert await two.next("said") == [DATA]
        mark = {**DATA, "seq": 1}
        assert await one.call("say", {"room": None, "skip": False, "data": mark}) == [True]
        assert await one.next("said") == await two.next("said") == [mark]


def test_without_a_bus_the_stock_server_says_what_to_set():
    """A missing or strange TARGET_BUS ends the server with a sentence, not a traceback."""
    command = [sys.executable, "-m", "uvicorn", "socketio_cluster.loadtest.targets.stock:app", "--port", "0"]
    env = {**os.environ, "TARGET_BUS": "kafka://x"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "TARGET_BUS is 'kafka://x': set it to the URL of a bus" in done.stderr
    assert "Traceback" not in done.stderr
