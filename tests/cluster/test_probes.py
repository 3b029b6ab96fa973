"""What the probe port says of a node, in every state it can be in."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import time

import pytest

from tests.cluster.command import run
from tests.cluster.served import Served, request
from tests.cluster.watched import crowd
from tests.jsclient import js_driver
from tests.services.redis import RedisServer

READY = {"ready": True, "reasons": []}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A node of two workers that the tests leave as it is."""
    with Served(
        tmp_path_factory.mktemp("probes"), "--soft-connections=2", "--probe-names=known.example.org"
    ) as command:
        yield command


async def probe(served, path):
    """The status and the JSON of a probe."""
    status, _, text = await request(served.probes + path)
    return status, json.loads(text)


async def until(served, path, expected, seconds=15):
    """Ask until the status is the expected one; returns the JSON."""
    deadline = time.monotonic() + seconds
    while (answer := await probe(served, path))[0] != expected:
        assert time.monotonic() < deadline, answer
        await asyncio.sleep(0.02)
    return answer[1]


def reasons(body):
    return {name: row["reasons"] for name, row in body["workers"].items()}


async def test_well_node_is_live_and_ready(served):
    """Each worker says that it is ready, its bus up, and how many it serves."""
    assert await probe(served, "/livez") == (200, {"live": True, "silent": []})
    status, body = await probe(served, "/readyz")
    row = {**READY, "bus": "up", "draining": False, "connections": 0, "clients": 0}
    assert (status, body) == (200, {"ready": True, "workers": {"node-1": row, "node-2": row}})


async def test_full_workers_are_unready(served):
    """A worker with --soft-connections is full; the node is unready when all are, and recovers."""
    async with js_driver() as driver, contextlib.AsyncExitStack() as stack:
        clients = []
        while (await probe(served, "/readyz"))[0] == 200:
            assert len(clients) < 40
            clients += await crowd(driver, served.url, 1)
            stack.push_async_callback(clients[-1].disconnect)
        _, body = await probe(served, "/readyz")
        for words in reasons(body).values():
            assert "--soft-connections is 2" in words[0]
    await until(served, "/readyz", 200)


async def test_metrics_name_every_worker(served):
    """One page has the metrics of all workers, told apart by their label."""
    status, headers, text = await request(f"{served.probes}/metrics")
    assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert 'node="node-1"' in text
    assert 'node="node-2"' in text


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", 200),
        (b"HEAD /livez HTTP/1.0\r\n\r\n", 200),
        (b"GET /livez?verbose HTTP/1.1\r\n\r\n", 200),
        (b"GET /nothing HTTP/1.1\r\n\r\n", 404),
        (b"POST /readyz HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", 405),
        (b"GET /drain HTTP/1.1\r\n\r\n", 405),
        (b"POST /drain HTTP/1.1\r\nOrigin: http://a.example\r\n\r\n", 403),
        (b"GET /metrics HTTP/1.1\r\nOrigin: null\r\n\r\n", 403),
        (b"GET /metrics HTTP/1.1\r\nHost: rebound.attacker.example:9100\r\n\r\n", 421),
        (b"POST /drain HTTP/1.1\r\nHost: rebound.attacker.example:9100\r\n\r\n", 421),
        (b"GET /livez HTTP/1.1\r\nHost: known.example.org:9100\r\n\r\n", 200),
        (b"POST /drain HTTP/1.1\r\nContent-Length: " + 5000 * b"9" + b"\r\n\r\n", 413),
        (b"POST /drain HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST /drain HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", 413),
        (b"rubbish\r\n\r\n", 400),
        (b"GET http://x/livez HTTP/1.1\r\n\r\n", 400),
        (b"GET /livez HTTP/1.1\r\nX: " + 9000 * b"x" + b"\r\n\r\n", 431),
    ],
)
async def test_probe_port_is_strict(served, sent, status):
    """Requests that it does not serve get a status that says so; none of them drains the node."""
    host, port = served.probes.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(sent)
    head, _, body = (await asyncio.wait_for(reader.read(), 5)).partition(b"\r\n\r\n")
    writer.close()
    assert int(head.split()[1]) == status
    assert b"Connection: close" in head
    assert (body == b"") == sent.startswith(b"HEAD")


@pytest.mark.parametrize("beginning", [b"", b"POST /drain HTTP/1.1\r\nContent-Length: 9\r\n\r\n"])
async def test_silent_visitors_do_not_hold_up_others(served, beginning):
    """While 200 connections send nothing, or half a request, a probe is answered at once."""
    host, port = served.probes.removeprefix("http://").split(":")
    idle = [await asyncio.open_connection(host, int(port)) for _ in range(200)]
    for _, writer in idle:
        writer.write(beginning)
    gone = [asyncio.create_task(reader.read()) for reader, _ in idle]
    try:
        for _ in range(5):
            assert (await probe(served, "/livez"))[0] == 200
        _, waiting = await asyncio.wait(gone, timeout=1)
        assert len(waiting) <= 64
    finally:
        for _, writer in idle:
            writer.close()
        await asyncio.gather(*gone, return_exceptions=True)


async def test_bus_that_is_away_makes_unready_but_not_dead(tmp_path):
    """When Redis is killed the node is unready within seconds, says why, stays live, and recovers with it."""
    with RedisServer(tmp_path) as redis, Served(tmp_path, f"--bus={redis.url}") as served:
        await until(served, "/readyz", 200)
        redis.stop()
        body = await until(served, "/readyz", 503)
        await until_reasons(served, {"node-1": ["the bus is away"], "node-2": ["the bus is away"]})
        assert body["ready"] is False
        assert (await probe(served, "/livez"))[0] == 200
        redis.start()
        await until(served, "/readyz", 200)


async def until_reasons(served, expected):
    """Ask until the workers give these reasons."""
    async with asyncio.timeout(15):
        while reasons((await probe(served, "/readyz"))[1]) != expected:  # noqa: ASYNC110 - a process knows
            await asyncio.sleep(0.02)


async def test_hung_workers_never_hang_the_probe(tmp_path):
    """Every answer comes within a second; a node with one hung worker is ready, with two it is not live."""
    with Served(tmp_path, "--stuck-after=60") as served:
        pids = await worker_pids(served)
        for count, (node, pid) in enumerate(sorted(pids.items()), start=1):
            os.kill(pid, signal.SIGSTOP)
            began = time.monotonic()
            live, ready = await probe(served, "/livez"), await probe(served, "/readyz")
            assert time.monotonic() - began < 2
            assert live == (200 if count == 1 else 503, {"live": count == 1, "silent": sorted(pids)[:count]})
            assert ready[0] == (200 if count == 1 else 503)
            assert ready[1]["workers"][node] == {"ready": False, "reasons": ["does not answer"]}
        assert (await request(f"{served.probes}/metrics"))[0] == 200
        for pid in pids.values():
            os.kill(pid, signal.SIGCONT)
        await until(served, "/readyz", 200)


async def worker_pids(served):
    """The process of each worker: the shared port leads to one of them by chance."""
    found = {}
    async with asyncio.timeout(20):
        while len(found) < 2:
            node, _, pid, _ = (await request(f"{served.url}/who"))[2].split()
            found[node] = int(pid)
    return found


async def test_killed_worker_is_starting_until_it_serves_again(tmp_path):
    """The row of a worker whose process is being replaced says so; the node stays ready."""
    with Served(tmp_path) as served:
        os.kill((await worker_pids(served))["node-1"], signal.SIGKILL)
        served.wait_for("node-1 was killed")
        await until_reasons(served, {"node-1": ["starting"], "node-2": []})
        assert (await probe(served, "/readyz"))[0] == 200
        served.wait_for(r"node-1 \(.* serves", times=2)
        await until_reasons(served, {"node-1": [], "node-2": []})


def test_taken_probe_port_is_named():
    """A probe port that another program listens on ends the command with the port's number."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("serve", "tests.cluster.app:app", "--port=0", f"--probe-port={port}")
    assert (done.returncode, f"port {port} on 127.0.0.1 is taken" in done.stderr) == (2, True)
