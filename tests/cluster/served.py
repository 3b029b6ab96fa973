"""A supervisor with workers that run `drain_app`, and a probe port."""

from __future__ import annotations

import time

import aiohttp

from tests.cluster.command import Command
from tests.harness import eventually

APP = "tests.cluster.drain_app:app"
PORTS = ("--port=0", "--probe-port=0")


class Served(Command):
    """A supervisor with its workers: its address, its probes, and what its workers noted."""

    def __init__(self, folder, *options, workers=2, env=None, app=APP):
        self.diary = folder / "diary"
        self.diary.touch()
        self.workers = workers
        env = {"TEST_DIARY": str(self.diary), **(env or {})}
        super().__init__("serve", app, *PORTS, f"--workers={workers}", *options, env=env)

    def __enter__(self):
        super().__enter__()
        try:
            self.url = next(iter(self.nodes(self.workers).values()))[0]
            self.probes = self.wait_for(r"probes at (\S+)")[0][1]
        except BaseException:
            self.__exit__()  # nobody else would stop it
            raise
        return self

    def noted(self):
        """For each sid the last number it was sent, and why it was disconnected."""
        lines = [line.split(None, 2) for line in self.diary.read_text().splitlines()]
        return {sid: (int(number), reason) for sid, number, reason in lines}

    async def ended(self, seconds=20):
        """Return the exit code, and how long the end took."""
        began = time.monotonic()
        await eventually(lambda: self.process.poll() is not None, seconds)
        return self.process.returncode, time.monotonic() - began


async def request(url, **how):
    """Status, headers and text of a request."""
    async with aiohttp.ClientSession() as http, http.request(how.pop("method", "GET"), url, **how) as answer:
        return answer.status, answer.headers, await answer.text()
