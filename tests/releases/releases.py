"""The last release, installed beside the present one, and nodes of both."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

from tests.releases.host import Node

HERE = Path(__file__).parent
LAST = HERE / "socketio_cluster-0.1.0+9bf9442-py3-none-any.whl"
"""The wheel of the last release. Its nodes and those of the present one have to understand each other."""


def install(folder: Path) -> Path:
    """Install the last release into a folder, but nothing that it needs, which the tests have already."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--no-index"]
    subprocess.run([*pip, "--target", folder, LAST], check=True, timeout=60)
    return folder


def environment(folder: Path) -> dict[str, str]:
    """The environment of a process that runs the release in a folder."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("CLUSTER_")}
    return {**kept, "PYTHONPATH": str(folder)}


class LastHost:
    """A process of the last release, with any number of nodes."""

    def __init__(self, folder: Path):
        self._process = subprocess.Popen(
            [sys.executable, HERE / "host.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(folder),
            cwd=folder,
            text=True,
        )

    async def ask(self, method, *arguments):
        """Call a method of ``host.Host`` there."""
        return await asyncio.to_thread(self._ask, method, *arguments)

    def _ask(self, method, *arguments):
        self._process.stdin.write(json.dumps([method, *arguments]) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self):
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


class LastNode:
    """A node of the last release, in the process of a ``LastHost``."""

    def __init__(self, host, url, prefix, **options):
        self._host = host
        self._arguments = url, prefix, options

    async def start(self):
        self.id, port = await self._host.ask("start", *self._arguments)
        self.url = f"http://127.0.0.1:{port}"
        return self

    async def stop(self):
        await self._host.ask("stop", self.id)

    async def nodes(self):
        """The ids of the nodes that it knows."""
        return (await self._host.ask("stats", self.id))["nodes"]

    async def trouble(self):
        """What it has refused, and how many envelopes it has lost."""
        stats = await self._host.ask("stats", self.id)
        return stats["refused"], stats["lost"]


class PresentNode:
    """A node of the present release, in this process."""

    def __init__(self, url, prefix, **options):
        self.node = Node(url, prefix, options)

    async def start(self):
        self.id, port = await self.node.start()
        self.url = f"http://127.0.0.1:{port}"
        return self

    async def stop(self):
        await self.node.stop()

    async def nodes(self):
        return list(self.node.sio.manager.nodes())

    async def trouble(self):
        stats = self.node.sio.manager.stats
        return dict(stats.refused), stats.lost
