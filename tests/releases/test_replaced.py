"""A supervisor of the last release takes workers of the present one, which was installed meanwhile."""

from __future__ import annotations

import asyncio
import shutil
import signal
from functools import partial
from pathlib import Path

import pytest

import socketio_cluster
from tests.cluster.command import Command
from tests.harness import eventually
from tests.releases.releases import HERE, install

PACKAGE = Path(socketio_cluster.__file__).parent


class Follower:
    """A client that comes back after a goodbye, and notes the numbers of every worker."""

    def __init__(self):
        self.sio = socketio_cluster.AsyncClient(
            handle_sigint=False, reconnection_delay=0.01, reconnection_delay_max=0.05
        )
        self.ledger = {}
        self.recovered = []
        self.sio.on("tick", lambda node, number: self.ledger.setdefault(node, []).append(number))
        self.sio.on("connect", lambda: self.recovered.append(self.sio.recovered))

    async def until_all(self, process, *, replaced, new):
        """Wait until all workers are replaced so often, and this client is on one of the new ones."""
        await asyncio.to_thread(process.wait_for, "all workers are replaced", times=replaced)
        async with asyncio.timeout(30):
            while await self._release() is not new:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    def has_heard(self, workers):
        return len(self.ledger) == workers

    async def _release(self):
        try:
            return (await self.sio.call("who"))[0]
        except Exception:  # it is between two workers
            return None


@pytest.fixture
def installed(tmp_path):
    """A folder with the last release and the application."""
    install(tmp_path)
    shutil.copy(HERE / "app.py", tmp_path / "counting.py")
    return tmp_path


def switch(folder, source):
    """Put another release into the place of the one that is installed, as pip does."""
    shutil.rmtree(folder / "socketio_cluster")
    shutil.copytree(source, folder / "socketio_cluster", ignore=shutil.ignore_patterns("__pycache__"))


async def test_upgrade_in_place(installed, tmp_path_factory):
    """SIGHUP brings workers of the new release beside the old local bus, and back; clients miss nothing."""
    last = tmp_path_factory.mktemp("last") / "socketio_cluster"
    shutil.copytree(installed / "socketio_cluster", last)
    options = "--workers=1", "--port=0", "--recovery-seconds=60"
    with Command("serve", "counting:app", *options, cwd=installed) as process:
        nodes = await asyncio.to_thread(process.nodes, 1)
        followers = [Follower() for _ in range(2)]
        for follower in followers:
            await follower.sio.connect(nodes["node-1"][0], transports=["websocket"])
        for times, source in enumerate((PACKAGE, last), start=1):
            switch(installed, source)
            process.process.send_signal(signal.SIGHUP)
            for follower in followers:
                await follower.until_all(process, replaced=times, new=source is PACKAGE)
                await eventually(partial(follower.has_heard, workers=1 + times))
        for follower in followers:
            await follower.sio.disconnect()
            assert follower.recovered[0] is False
            assert all(follower.recovered[1:])
            for numbers in follower.ledger.values():
                assert numbers == list(range(numbers[0], numbers[-1] + 1))
