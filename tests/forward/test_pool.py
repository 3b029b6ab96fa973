"""Lines to another node: kept, bounded, and made with patience."""

from __future__ import annotations

import asyncio
import socket
import tempfile
from pathlib import Path

import pytest
import uvloop

from socketio_cluster import NodeInfo
from socketio_cluster.cluster.forward import pool as module
from socketio_cluster.cluster.forward.greeting import Key, NotANode, welcome
from socketio_cluster.cluster.forward.line import LineLost, NodeLine
from socketio_cluster.cluster.forward.pool import MOST_IDLE, Pool
from socketio_cluster.cluster.internal import write_address

NODE = "AAAAAAAA"
KEY = Key("prefix", "a secret of the tests")


class Owner:
    """A node that greets whoever knows the secret."""

    key = KEY

    def __init__(self):
        self.lines = []
        self.tasks = []

    def opened(self, line):
        self.lines.append(line)
        self.tasks.append(asyncio.create_task(welcome(line, lambda node: self if node == NODE else None)))


@pytest.fixture
def path():
    with tempfile.TemporaryDirectory(prefix="p") as folder:  # short: a socket's path has 107 bytes at most
        yield Path(folder) / "1.sock"


@pytest.fixture
async def owner(path):
    one = Owner()
    server = await asyncio.get_running_loop().create_unix_server(lambda: NodeLine(one.opened), path)
    yield one
    server.close()
    for line in one.lines:
        line.close()
    await asyncio.gather(*one.tasks, return_exceptions=True)


def pool(path, key=KEY):
    return Pool(NodeInfo(NODE, "node", write_address(path), 0), key)


async def test_line_is_used_again(owner, path):
    """A line that was given back is taken again; one in use is not shared."""
    lines = pool(path)
    one, two = await lines.acquire(), await lines.acquire()
    assert one is not two
    lines.release(one)
    assert await lines.acquire() is one
    assert len(owner.lines) == 2
    lines.close()


async def test_lost_and_old_lines_are_not_used(owner, path, monkeypatch):
    """A line that has ended, or waited for longer than allowed, is left for a new one."""
    lines = pool(path)
    one = await lines.acquire()
    lines.release(one)
    owner.lines[0].close()
    await asyncio.wait_for(asyncio.shield(one.lost), 5)
    two = await lines.acquire()
    lines.release(two)
    monkeypatch.setattr(module, "LONGEST_IDLE", 0)
    three = await lines.acquire()
    assert len({one, two, three}) == 3
    await asyncio.wait_for(asyncio.shield(two.lost), 5)
    lines.close()


async def test_idle_lines_are_bounded(owner, path):
    """No more than a hundred lines wait; the rest are closed."""
    lines = pool(path)
    taken = [await lines.acquire() for _ in range(MOST_IDLE + 5)]
    for line in taken:
        lines.release(line)
    await asyncio.gather(*(asyncio.wait_for(asyncio.shield(line.lost), 5) for line in taken[:5]))
    assert not any(line.lost.done() for line in taken[5:])
    lines.close()


async def test_closing_ends_what_waits(owner, path):
    """When a node is given up, a read on one of its lines ends."""
    lines = pool(path)
    reading = asyncio.create_task((await lines.acquire()).read())
    await asyncio.sleep(0)
    lines.close()
    with pytest.raises(LineLost):
        await asyncio.wait_for(reading, 5)


async def test_impostor_gets_nothing(owner, path):
    """What listens in a node's place and does not know the secret is not asked anything."""
    with pytest.raises(NotANode):
        await pool(path, Key("prefix", "another secret of somebody")).acquire()
    [task] = owner.tasks
    with pytest.raises(LineLost):
        await asyncio.wait_for(task, 5)


async def test_no_place_no_line(path):
    """A node whose address leads nowhere, or to nobody, is an error at once."""
    for address in ("", "10.0.0.5:80", "tcp:10.0.0..5:80", write_address(path)):
        with pytest.raises(OSError):
            await Pool(NodeInfo(NODE, "node", address, 0), KEY).acquire()


def test_full_backlog_is_waited_for(path):
    """A Unix socket that refuses because too many call at once is called again until it accepts."""

    async def call():
        calling = asyncio.create_task(module._reach(str(path)))
        await asyncio.wait([calling], timeout=0.2)
        assert not calling.done()
        (await asyncio.to_thread(server.accept))[0].close()
        (await asyncio.wait_for(calling, 5)).close()

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen(0)
        with socket.socket(socket.AF_UNIX) as first:
            first.connect(str(path))
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(call())
