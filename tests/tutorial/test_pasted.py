"""The tutorial, from its first block to its last, as its reader goes through it."""

from __future__ import annotations

import ast
import contextlib

import pytest

from tests.cluster.command import ROOT
from tests.harness import eventually
from tests.services.process import free_port
from tests.tutorial.nodes import outside, serving
from tests.tutorial.page import steps
from tests.tutorial.repl import Repl


class Reader:
    """Somebody with the file ``tutorial.py``, which two nodes serve, and a terminal with the clients."""

    def __init__(self, env):
        self.env = env
        self.file = ""
        self.repl = Repl()
        self.ports = [free_port(), free_port()]
        self._nodes = contextlib.AsyncExitStack()

    async def __aenter__(self):
        await self.repl.start()
        return self

    async def __aexit__(self, *_):
        await self._nodes.aclose()
        await self.repl.stop()

    async def follow(self, block):
        """Do with a block what the page says."""
        if block.kind == "server":
            await self._save(f"{self.file}\n\n{block.code}")
        elif block.kind == "instead":
            await self._save(self._with_other_server(block.code))
        elif block.kind == "client":
            await self.repl.paste(self._here(block.code))
        else:
            await outside(block, self.env)

    async def _save(self, text):
        """Change the file. Both nodes start again, as with --reload."""
        self.file = text
        await self._nodes.aclose()
        await self._nodes.enter_async_context(serving(self._run, self.ports))

    async def _run(self):
        names = {"__name__": "tutorial"}
        exec(compile(self.file, "tutorial.py", "exec"), names)
        return names

    def _with_other_server(self, code):
        """The file with another line that makes the server."""
        lines = self.file.splitlines()
        [made] = [one for one in ast.parse(self.file).body if ast.unparse(one).startswith("sio = ")]
        lines[made.lineno - 1 : made.end_lineno] = code.splitlines()
        return "\n".join(lines)

    def _here(self, code):
        """A block with the ports of these nodes in the place of the page's."""
        for written, port in zip(("9000", "9001"), self.ports, strict=True):
            code = code.replace(written, str(port))
        return code


@pytest.mark.timeout(300)
async def test_the_tutorial_as_pasted(redis_url, prefix, monkeypatch):
    """Each step prints what the page says, in one session of ``python -m asyncio``."""
    env = {"CLUSTER_BUS": redis_url, "CLUSTER_PREFIX": prefix}
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    async with Reader(env) as reader:
        for title, blocks in steps(ROOT / "docs" / "tutorial.md").items():
            for block in blocks:
                await reader.follow(block)
            expected = sorted(text for block in blocks for text in block.expected.values())
            with contextlib.suppress(AssertionError):  # the comparison says more
                await eventually(lambda expected=expected: len(reader.repl.printed) >= len(expected))
            assert sorted(reader.repl.printed) == expected, title
            reader.repl.printed.clear()
