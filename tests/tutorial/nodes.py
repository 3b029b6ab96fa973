"""Nodes that serve the code of a page."""

from __future__ import annotations

import asyncio
import contextlib
import sys

from tests.cluster.command import ROOT, clean_environment
from tests.harness import Node, eventually


class PageNode(Node):
    """A node that serves what a page's code has made."""

    def __init__(self, names, port=0):
        self.layers = []
        self.port = port
        self.app = names["app"]
        self.sio = names["sio"]
        self.manager = self.sio.manager


@contextlib.asynccontextmanager
async def serving(run, ports=(0, 0)):
    """Two nodes that each serve the names which ``await run()`` returns; gives their URLs."""
    nodes = []
    try:
        for port in ports:
            nodes.append(PageNode(await run(), port))
            await nodes[-1].start()
        everyone = {node.manager.node_id for node in nodes}
        await eventually(lambda: all(everyone <= set(node.manager.nodes()) for node in nodes))
        yield [node.url for node in nodes]
    finally:
        for node in nodes:
            await node.stop()
            await node.sio.shutdown()  # a stop that took too long has not come to it


async def outside(block, env):
    """Run a block as a program of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", block.code), cwd=ROOT, env=clean_environment() | env
    )
    assert await process.wait() == 0
