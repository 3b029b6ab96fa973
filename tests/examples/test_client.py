"""The console client talks across nodes, comes back, and minds its middlewares."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys

import pytest

from tests.cluster.command import ROOT, clean_environment
from tests.examples.nodes import two_nodes

SECONDS = 60


class Terminal:
    """A console in a process of its own."""

    def __init__(self, process):
        self.process = process
        self.lines = []

    def type(self, line):
        self.process.stdin.write(f"{line}\n".encode())

    async def see(self, pattern):
        """Read on to the line that matches, and give the match."""
        async with asyncio.timeout(SECONDS):
            while line := await self.process.stdout.readline():
                self.lines.append(line.decode().rstrip())
                if match := re.search(pattern, self.lines[-1]):
                    return match
        raise AssertionError(f"no {pattern!r} in {self.lines}")

    async def leave(self):
        """End the input; gives the exit code."""
        self.process.stdin.close()
        return await asyncio.wait_for(self.process.wait(), SECONDS)


@contextlib.asynccontextmanager
async def terminal(*arguments, env=None):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "examples.client", "--seconds", "0.2", *arguments),
        cwd=ROOT,
        env=clean_environment() | (env or {}),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield Terminal(process)
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


@pytest.fixture(scope="module")
def urls():
    """The URLs of two nodes."""
    with two_nodes("examples.client.app:app") as urls:
        yield urls


async def test_two_people_on_two_nodes(urls):
    """What one says the other sees; who is muted is not seen; odd lines are refused and escapes taken out."""
    first, second = urls
    async with (
        terminal(first, "--name", "Ada") as ada,
        terminal(second, "--name", "Ben") as ben,
        terminal(first, "--name", "Cleo") as cleo,
    ):
        await ada.see("connected as Ada")
        await cleo.see("connected as Cleo")
        await ben.see(r"3 connected; you at node-2, [\d.]+ ms away")
        ada.type("hello \x1b[31mred")
        assert (await ben.see("^Ada: (.*)"))[1] == "hello [31mred"
        ben.type("/mute Ada")
        await ben.see("muted: Ada")
        ada.type("unheard")
        ada.type("x" * 501)
        await ada.see("not said: say something of 1 to 500 characters")
        await cleo.see("Ada: unheard")
        cleo.type("it was said")  # by the same node, so it reaches Ben after what Ada has said
        await ben.see("Cleo: it was said")
        ben.type("back to you")
        await ada.see("Ben: back to you")
        ben.type("/mute Ada")
        await ben.see("muted: nobody")
        ada.type("the end")
        await ben.see("Ada: the end")
        assert "Ada: unheard" not in ben.lines
        assert await ada.leave() == await ben.leave() == await cleo.leave() == 0


@contextlib.asynccontextmanager
async def relay(url):
    """A way to this URL that can be cut: gives its own URL, and the function that cuts and bars it."""
    host, port = url.removeprefix("http://").rstrip("/").split(":")
    writers, tasks = [], []

    async def pass_on(reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)

    async def serve(reader, writer):
        back, forth = await asyncio.open_connection(host, int(port))
        writers.extend((writer, forth))
        tasks.extend(asyncio.ensure_future(work) for work in (pass_on(reader, forth), pass_on(back, writer)))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port_here = server.sockets[0].getsockname()[1]

    async def cut():
        server.close()
        for writer in writers:
            writer.transport.abort()

    async def mend():
        nonlocal server
        server = await asyncio.start_server(serve, "127.0.0.1", port_here)

    try:
        yield f"http://127.0.0.1:{port_here}", cut, mend
    finally:
        await cut()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_comes_back(urls):
    """When the connection breaks the client comes back, and says in order what was typed meanwhile."""
    first, second = urls
    async with relay(first) as (url, cut, mend):
        async with terminal(url, "--name", "Ada") as ada, terminal(second, "--name", "Ben") as ben:
            await ada.see("connected as Ada")
            await ben.see("connected as Ben")
            await cut()
            await ada.see("the connection is lost")
            for line in "one", "two":
                ada.type(line)
            await ada.see("no connection")
            await mend()
            assert (await ben.see("^Ada: (.*)"))[1] == "one"
            assert (await ben.see("^Ada: (.*)"))[1] == "two"
            await ada.see("connected as Ada")
            assert await ada.leave() == 0


async def test_refused(urls):
    """A name that the server refuses ends the client with its reason."""
    async with terminal(urls[0], "--name", "x" * 21) as nobody:
        await nobody.see("no connection: a name has 1 to 20 characters")
        assert await nobody.leave() == 1


async def test_one_command(prefix):
    """Without a URL it starts two nodes, which others join, and ends them with itself."""
    async with terminal("--name", "Ada", env={"CLUSTER_PREFIX": prefix}) as ada:
        url = (await ada.see(r"python -m examples.client (\S+)"))[1]
        await ada.see("connected as Ada")
        async with terminal(url, "--name", "Ben") as ben:
            await ben.see("2 connected")
            ben.type("hello")
            await ada.see("Ben: hello")
            assert await ben.leave() == 0
        assert await ada.leave() == 0
    with pytest.raises(OSError, match="refused|Connect call failed"):
        await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
