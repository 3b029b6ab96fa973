"""Events by HTTP reach the clients of all nodes, or their sender hears why they do not."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import re
import signal
import subprocess
import uuid
from collections import Counter
from types import SimpleNamespace

import aiohttp
import pytest

from tests.cluster.command import ROOT, run
from tests.emit.served import TOKEN, emitting, post
from tests.harness import client

PAGE = (ROOT / "docs" / "emitting.md").read_text()
COMMANDS = re.findall(r"^(curl (?:[^\n]*\\\n)*[^\n]*)(?:\n# → (.*))?", PAGE, re.MULTILINE)


OTHER = "another-token-that-is-valid-too"


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """Two workers on the local bus, with two tokens in the file ``local.tokens``."""
    tokens = tmp_path_factory.mktemp("emit") / "tokens"
    tokens.write_text(f"{TOKEN}\n{OTHER}\n")
    with emitting(f"--emit-token-file={tokens}", token="unused") as command:
        command.tokens = tokens
        yield command


@pytest.fixture(scope="module")
def redis(redis_server):
    """Two workers on Redis, which numbers and keeps the events."""
    where = f"--bus={redis_server.url}", f"--prefix=t{uuid.uuid4().hex[:10]}"
    with emitting(*where, "--recovery-seconds=60") as command:
        yield command


@pytest.fixture
async def http():
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
        yield session


@contextlib.asynccontextmanager
async def one_on_each(command, **how):
    """A client on each worker, in the room kitchen."""
    async with contextlib.AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(client(SimpleNamespace(url=url), **how)) for url in command.urls
        ]
        for one in clients:
            await one.call("join", "kitchen")
        yield clients


@pytest.mark.parametrize("bus", ["local", "redis"])
async def test_page(bus, request, http):
    """The commands of docs/emitting.md do on two nodes what the page says, with the real curl."""
    command = request.getfixturevalue(bus)
    async with one_on_each(command) as clients:
        await clients[1].call("join", "muted")
        assert len(COMMANDS) == 4
        for text, expected in COMMANDS:
            assert expected in await asyncio.to_thread(shell, text, command)
        for one in clients:
            assert await one.next("news") == [{"title": "Dinner is ready"}]
            assert await one.next("soup") == ["tomato", 3]
        assert await clients[0].next("news") == [1]
        await post(http, command, {"event": "end"})
        for one in clients:
            assert await one.next("end") == []


def shell(text, command):
    """Run a command of the page, without curl's progress meter, and give its output."""
    env = {**os.environ, "EMIT_URL": command.emit_url, "TOKEN": TOKEN}
    text = text.replace("curl ", "curl -sS ", 1)
    done = subprocess.run(["sh", "-c", text], env=env, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout


async def test_answers(http, local):
    """What is wrong with a request is answered, counted, and reaches nobody; a batch keeps its order."""
    before = await counted(http, local)
    large = b"[" + b" " * 1024 * 1024 + b"]"
    async with one_on_each(local) as clients:
        refused = [
            (401, await post(http, local, {"event": "no"}, token=None)),
            (401, await post(http, local, {"event": "no"}, token="unused")),
            (400, await post(http, local, [{"event": "no"}, {"event": "no", "to": []}])),
            (400, await post(http, local, [{"event": "no"}, {"event": "connect"}])),
            (400, await post(http, local, b"[{")),
            (413, await post(http, local, io.BytesIO(large))),
            (401, await post(http, local, io.BytesIO(large), token=None)),
            (413, await post(http, local, chunks(b" " * 65536, 17))),
        ]
        assert [answer[0] for _, answer in refused] == [status for status, _ in refused]
        assert refused[0][1][1]["WWW-Authenticate"] == "Bearer"
        assert refused[3][1][2].items() >= {"entry": 1, "field": "event"}.items()
        assert refused[5][1][2]["limit"] == 1024 * 1024
        batch = [{"event": "n", "data": number} for number in range(1000)]
        assert (await post(http, local, batch, token=OTHER))[2] == {"emitted": 1000}
        for one in clients:
            assert [(await one.next("n"))[0] for _ in range(1000)] == list(range(1000))
    assert await counted(http, local) - before == Counter({"400": 3, "401": 3, "413": 2, "200": 1})


async def counted(http, command):
    """The answers so far, by status."""
    async with http.get(f"{command.probes}/metrics") as answer:
        page = await answer.text()
    found = re.findall(r'^socketio_emit_requests_total\{.*status="(\d+)"\} (\d+)', page, re.MULTILINE)
    totals = Counter()
    for status, number in found:
        totals[status] += int(number)
    return totals


async def chunks(piece, count):
    """The pieces of a body without a length."""
    for _ in range(count):
        yield piece


async def test_pages(http, local):
    """The port describes itself to browsers and programs without a token, and has nothing else."""
    kinds = {"/": "text/html", "/openapi.json": "application/json", "/schema.json": "application/json"}
    for path, kind in kinds.items():
        async with http.get(local.emit_url + path) as answer:
            assert (answer.status, answer.content_type) == (200, kind)
            text = await answer.text()
            assert "except" in text
            assert not re.search(r"<script|https?://(?!json-schema)", text)
    others = [("GET", "/emit", 405), ("POST", "/", 405), ("GET", "/metrics", 404), ("OPTIONS", "/emit", 405)]
    for method, path, status in others:
        async with http.request(method, local.emit_url + path) as answer:
            assert answer.status == status
            assert "Access-Control-Allow-Origin" not in answer.headers


async def test_other_tokens(http, local):
    """After SIGHUP the tokens are those in the file, and no new connection is turned away meanwhile."""
    new = "a-third-token-for-a-new-year"
    local.tokens.write_text(f"{OTHER}\n{new}\n")
    local.process.send_signal(signal.SIGHUP)
    done = asyncio.create_task(asyncio.to_thread(local.wait_for, "all workers are replaced"))
    answers = Counter()
    while not (await asyncio.wait([done], timeout=0.1))[0]:
        answers[(await post(http, local, {"event": "n"}, token=OTHER))[0]] += 1
    await done
    assert answers.keys() == {200}
    assert (await post(http, local, {"event": "n"}, token=new))[0] == 200
    assert (await post(http, local, {"event": "n"}, token=TOKEN))[0] == 401


@pytest.mark.parametrize("env", [{}, {"CLUSTER_EMIT_TOKEN": "short"}], ids=["none", "short"])
def test_token_needed(env):
    """Without a good token there is no emit port: serve says so and starts nothing."""
    done = run("serve", "tests.emit.served:app", "--emit-port=0", env=env)
    assert done.returncode == 2
    assert "--emit-port needs a token" in done.stderr
    assert "Traceback" not in done.stderr
