"""The tutorial's command, and each step of the page on middleware, do what they say on two nodes."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
import socketio

from tests.cluster.command import ROOT, Command
from tests.harness import eventually
from tests.tutorial.nodes import outside, serving
from tests.tutorial.page import Printed, steps

TUTORIAL = steps(ROOT / "docs" / "tutorial.md")
SERVER, CLIENT = TUTORIAL.pop("Two nodes")
MIDDLEWARE = steps(ROOT / "docs" / "middleware.md")


def addresses(first, second):
    """What the addresses in the pages stand for."""
    urls = {9000: first, 9001: second}
    return [
        ('f"http://localhost:{port}"', f"{urls!r}[port]"),
        *((f"http://localhost:{port}", url) for port, url in urls.items()),
    ]


@contextlib.asynccontextmanager
async def terminal():
    """The names of the client's code; its clients leave at the end, while their nodes are still there."""
    names = {"__name__": "__main__"}
    yield names
    found = [one for one in names.values() if isinstance(one, socketio.AsyncClient)]
    for one in {*found, *names.get("clients", [])}:
        await one.shutdown()


@pytest.mark.parametrize("blocks", MIDDLEWARE.values(), ids=MIDDLEWARE)
async def test_step(blocks, redis_url, prefix, monkeypatch):
    """The code of this step prints, on two nodes with a client on each, what the page says."""
    env = {"CLUSTER_BUS": redis_url, "CLUSTER_PREFIX": prefix}
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    printed = Printed()
    expected = {line: text for block in blocks for line, text in block.expected.items()}

    async def run():
        made = {"__name__": "tutorial", "print": printed}
        for block in (SERVER, *(b for b in blocks if b.kind == "server")):
            await block.run(made)
        return made

    async with serving(run) as urls, terminal() as names:
        names["print"] = printed
        async with asyncio.timeout(20):
            for block in (CLIENT, *(b for b in blocks if b.kind == "client")):
                await block.run(names, addresses(*urls))
            for block in blocks:
                if block.kind == "outside":
                    await outside(block, env)
        with contextlib.suppress(AssertionError):  # the comparison says more
            await eventually(lambda: expected.keys() <= printed.lines.keys())
        assert printed.lines == {line: [text] for line, text in expected.items()}


async def test_as_it_is_started(redis_url, prefix, tmp_path):
    """The command of the page starts two nodes, and starts them again when a step is added to the file."""
    blocks = TUTORIAL["Events"]
    file = tmp_path / "tutorial.py"
    file.write_text(SERVER.code)
    env = {"CLUSTER_BUS": redis_url, "CLUSTER_PREFIX": prefix, "PYTHONPATH": str(tmp_path)}
    page = (ROOT / "docs" / "tutorial.md").read_text()
    assert "serve tutorial:app --workers 2 --direct-port 9000 --reload\n" in page
    options = ("--workers", "2", "--port", "0", "--direct-port", "0", "--reload")
    with Command("serve", "tutorial:app", *options, env=env, cwd=tmp_path) as command:
        nodes = await asyncio.to_thread(command.nodes, 2)
        async with terminal() as names:
            await CLIENT.run(names, addresses(nodes["node-1"][1], nodes["node-2"][1]))
            added = "".join(block.code for block in blocks if block.kind == "server")
            file.write_text(file.read_text() + added)
            nodes = await asyncio.to_thread(command.nodes, 4)
            names["print"] = printed = Printed()
            for block in blocks:
                if block.kind == "client":
                    await block.run(names, addresses(nodes["node-1"][1], nodes["node-2"][1]))
            await eventually(lambda: list(printed.lines.values()) == [["['hello', 'HELLO!!!']"]])


def test_nothing_is_missing():
    """The tutorial has code for what python-socketio's server offers its handlers."""
    code = "".join(block.code for blocks in TUTORIAL.values() for block in blocks)
    methods = [name for name in vars(socketio.AsyncServer) if not name.startswith("_")]
    others = {"attach", "disconnect", "handle_request", "instrument", "is_asyncio_based", "send", "shutdown"}
    assert [name for name in methods if name not in others and f".{name}" not in code] == []
