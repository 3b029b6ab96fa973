"""``python -m asyncio`` in a terminal of its own, into which a test pastes as a user does."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import sys

from tests.cluster.command import ROOT, clean_environment
from tests.harness import eventually

TERMINAL = {"TERM": "dumb", "PYTHON_BASIC_REPL": "1", "PYTHON_COLORS": "0"}
RECORD = """\
import builtins, json, os
def record(*values):
    os.write({fd}, json.dumps(" ".join(map(str, values))).encode() + b"\\n")

builtins.print = record
"""
"""Lets ``print`` write to a pipe, because the terminal also shows what is pasted."""
SECONDS = 60


class Repl:
    """One such program, between ``start`` and ``stop``."""

    def __init__(self):
        self.terminal = bytearray()
        """All that the terminal has shown."""
        self.printed = []
        """What the program has printed, text by text."""
        self._half = b""
        self._pastes = 0

    async def start(self):
        self._master, slave = pty.openpty()
        self._pipe, writer = os.pipe()
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "asyncio"),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=ROOT,
            env=clean_environment() | TERMINAL,
            pass_fds=[writer],
            start_new_session=True,
        )
        os.close(slave)
        os.close(writer)
        loop = asyncio.get_running_loop()
        loop.add_reader(self._master, self._show)
        loop.add_reader(self._pipe, self._read)
        await eventually(lambda: b">>>" in self.terminal, SECONDS)
        await self.paste(RECORD.format(fd=writer))

    async def stop(self):
        loop = asyncio.get_running_loop()
        self._process.kill()
        await self._process.wait()
        for fd in (self._master, self._pipe):
            loop.remove_reader(fd)
            os.close(fd)

    async def paste(self, code):
        """Paste a block and press Enter; return when the program has run it to its end."""
        self._pastes += 1
        done = f"end of paste {self._pastes}"
        # The mark is put together by the program, so that the text of the paste is none.
        await asyncio.to_thread(self._type, f"{code}\n\nprint('end of paste', {self._pastes})\n".encode())
        await eventually(lambda: done in self.printed or self._failed(), SECONDS)
        assert not self._failed(), self.terminal.decode()
        self.printed.remove(done)

    def _failed(self):
        """Whether the terminal shows an error, of a handler or of the syntax."""
        return b"Traceback" in self.terminal or b'File "<console>"' in self.terminal

    def _type(self, data):
        while data:
            data = data[os.write(self._master, data) :]

    def _show(self):
        try:
            self.terminal += os.read(self._master, 65536)
        except OSError:  # the program has ended, and with it the other side of the terminal
            asyncio.get_running_loop().remove_reader(self._master)

    def _read(self):
        data = os.read(self._pipe, 65536)
        if not data:
            asyncio.get_running_loop().remove_reader(self._pipe)
        *lines, self._half = (self._half + data).split(b"\n")
        self.printed += map(json.loads, lines)
