"""Each step of the tutorial, and of the page on middleware, does on two nodes what it says."""

from __future__ import annotations

import asyncio
import contextlib
import sys

import pytest
import socketio

from tests.cluster.command import ROOT, Command, clean_environment
from tests.harness import Node, eventually
from tests.tutorial.page import Printed, steps

TUTORIAL = steps(ROOT / "docs" / "tutorial.md")
SERVER, CLIENT = TUTORIAL.pop("Two nodes")
MIDDLEWARE = steps(ROOT / "docs" / "middleware.md")
STEPS = [*TUTORIAL.items(), *MIDDLEWARE.items()]


class TutorialNode(Node):
    """A node that serves what the page's code has made."""

    def __init__(self, names):
        self.layers = []
        self.app = names["app"]
        self.sio = names["sio"]
        self.manager = self.sio.manager


@contextlib.asynccontextmanager
async def serving(blocks, printed):
    """Two nodes that each run these blocks; gives what the addresses in the page stand for."""
    nodes = []
    try:
        for _ in range(2):
            names = {"__name__": "tutorial", "print": printed}
            for block in blocks:
                await block.run(names)
            nodes.append(TutorialNode(names))
            await nodes[-1].start()
        everyone = {node.manager.node_id for node in nodes}
        await eventually(lambda: all(everyone <= set(node.manager.nodes()) for node in nodes))
        yield [(f"http://localhost:{9000 + number}", node.url) for number, node in enumerate(nodes)]
    finally:
        for node in nodes:
            await node.stop()


@pytest.fixture
async def clients():
    """The names of the client's code; its clients are disconnected at the end."""
    names = {"__name__": "__main__"}
    yield names
    for one in [value for value in names.values() if isinstance(value, socketio.AsyncClient)]:
        await one.disconnect()


async def outside(block, env):
    """Run a block as a program of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", block.code), cwd=ROOT, env=clean_environment() | env
    )
    assert await process.wait() == 0


@pytest.mark.parametrize("blocks", [blocks for _, blocks in STEPS], ids=[title for title, _ in STEPS])
async def test_step(blocks, redis_url, prefix, monkeypatch, clients):
    """The code of this step prints, on two nodes with a client on each, what the page says."""
    env = {"CLUSTER_BUS": redis_url, "CLUSTER_PREFIX": prefix}
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    printed = Printed()
    clients["print"] = printed
    expected = {line: text for block in blocks for line, text in block.expected.items()}
    async with serving([SERVER, *(b for b in blocks if b.kind == "server")], printed) as addresses:
        async with asyncio.timeout(20):
            await CLIENT.run(clients, addresses)
            for block in blocks:
                if block.kind == "client":
                    await block.run(clients, addresses)
            for block in blocks:
                if block.kind == "outside":
                    await outside(block, env)
        with contextlib.suppress(AssertionError):  # the comparison says more
            await eventually(lambda: expected.keys() <= printed.lines.keys())
        assert printed.lines == {line: [text] for line, text in expected.items()}


async def test_as_it_is_started(redis_url, prefix, tmp_path, clients):
    """The first steps work with the command of the page, its two ports and its variable."""
    events = TUTORIAL["Events"]
    code = "\n".join(block.code for block in (SERVER, *events) if block.kind == "server")
    (tmp_path / "tutorial.py").write_text(code)
    env = {"CLUSTER_BUS": redis_url, "CLUSTER_PREFIX": prefix, "PYTHONPATH": str(tmp_path)}
    ports = ("--port", "0", "--direct-port", "0")
    command = Command("serve", "tutorial:app", "--workers", "2", *ports, env=env)
    try:
        nodes = await asyncio.to_thread(command.nodes, 2)
        addresses = [
            ("http://localhost:9000", nodes["node-1"][1]),
            ("http://localhost:9001", nodes["node-2"][1]),
        ]
        clients["print"] = printed = Printed()
        for block in (CLIENT, *events):
            if block.kind == "client":
                await block.run(clients, addresses)
        await eventually(lambda: list(printed.lines.values()) == [["['hello', 'HELLO!!!']"]])
    finally:
        await asyncio.to_thread(command.__exit__)


def test_nothing_is_missing():
    """The tutorial has code for what python-socketio's server offers its handlers."""
    code = "".join(block.code for blocks in TUTORIAL.values() for block in blocks)
    methods = [name for name in vars(socketio.AsyncServer) if not name.startswith("_")]
    others = {"attach", "disconnect", "handle_request", "instrument", "is_asyncio_based", "send", "shutdown"}
    assert [name for name in methods if name not in others and f".{name}" not in code] == []
